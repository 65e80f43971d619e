/* Segment's e-commerce v2 names as canonical names: the vocabulary in which analyses
 * are written.  docs/EVENTS.md shows this table; a test compares the two. */
#include "events/segment_names.h"

#include "base/nearest.h"

static const cj__segment_pair segment_names[] = {
    {"Products Searched",              "search"                },
    {"Product List Viewed",            "product_list_view"     },
    {"Product List Filtered",          "product_list_filter"   },
    {"Promotion Viewed",               "promotion_view"        },
    {"Promotion Clicked",              "promotion_click"       },
    {"Product Clicked",                "product_click"         },
    {"Product Viewed",                 "product_view"          },
    {"Product Added",                  "cart_add"              },
    {"Product Removed",                "cart_remove"           },
    {"Cart Viewed",                    "cart_view"             },
    {"Cart Shared",                    "cart_share"            },
    {"Checkout Started",               "checkout_start"        },
    {"Checkout Step Viewed",           "checkout_step_view"    },
    {"Checkout Step Completed",        "checkout_step_complete"},
    {"Payment Info Entered",           "payment_info"          },
    {"Order Completed",                "order"                 },
    {"Order Refunded",                 "refund"                },
    {"Order Updated",                  "order_update"          },
    {"Order Cancelled",                "order_cancel"          },
    {"Coupon Entered",                 "coupon_enter"          },
    {"Coupon Applied",                 "coupon_apply"          },
    {"Coupon Denied",                  "coupon_deny"           },
    {"Coupon Removed",                 "coupon_remove"         },
    {"Product Added to Wishlist",      "wishlist_add"          },
    {"Product Removed from Wishlist",  "wishlist_remove"       },
    {"Wishlist Product Added to Cart", "wishlist_to_cart"      },
    {"Product Shared",                 "product_share"         },
    {"Product Reviewed",               "product_review"        },
};

const cj__segment_pair *cj__segment_pair_at(size_t i)
{
    return i < sizeof segment_names / sizeof segment_names[0] ? &segment_names[i]
                                                              : NULL;
}

const char *cj__segment_name(const char *event)
{
    for (size_t i = 0; i < sizeof segment_names / sizeof segment_names[0]; i++)
        if (cj__name_same(segment_names[i].theirs, event))
            return segment_names[i].ours;
    return NULL;
}
