"""The smallest whole program: open a file, record one order, print the scores."""

import sys

import cjourney

with cjourney.open(sys.argv[1] if len(sys.argv) > 1 else "shop.db") as store:
    store.record("order", email="ann@example.com", channel="web", order_id="A2",
                 value_minor=1410, message_id="quickstart-2")
    store.identify(email="ann@example.com", user_id="7", traits={"city": "Leeds"})
    print(store.rfm(identifier="user_id"))
