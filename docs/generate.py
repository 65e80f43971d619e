#!/usr/bin/env python3
"""Writes the documents that are made from the code: docs/SYMBOLS (one exported function per
line) and docs/API.md (every declaration under its comment) from include/cjourney.h,
docs/METRICS.md from the table of RFM classes, and the tables of docs/SEGMENTS.md and
docs/VALUE.md from lib/segment and lib/metrics.  With --check it writes nothing and fails when
one of them is out of step."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = (ROOT / "include/cjourney.h").read_text()
RULE = re.compile(r"^/\* -{2,} (.+?) -{2,} \*/$")


def symbols():
    code = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.S)
    code = re.sub(r"^#.*$", "", code, flags=re.M)
    code = re.sub(r"struct \w+ \{.*?\}", "", code, flags=re.S)
    names = [m.group(1) for part in code.split(";") if "typedef" not in part
             for m in re.finditer(r"\b(cj_\w+)\s*\(", part)]
    head = "# Exported by libcjourney.so.0: made from include/cjourney.h by `make docs`.\n"
    return head + "".join(f"{name}\n" for name in sorted(names))


def paragraphs():
    """The header cut at blank lines; a comment or a struct is one piece however many
    blank lines it holds."""
    piece, depth = [], 0
    for line in HEADER.splitlines():
        if not line.strip() and depth == 0:
            if piece:
                yield piece
            piece = []
            continue
        piece.append(line)
        depth += line.count("/*") + line.count("{") - line.count("*/") - line.count("}")
        if 'extern "C" {' in line or line == "}":
            depth = 0
    if piece:
        yield piece


def comment_text(lines):
    text = "\n".join(lines)
    text = re.sub(r"^/\*\s?|\s*\*/$", "", text)
    return re.sub(r"^ \* ?", "", text, flags=re.M)


def split_comment(lines):
    """A piece's opening comment and what it is about."""
    if not lines[0].startswith("/*"):
        return "", lines
    for i, line in enumerate(lines):
        if line.endswith("*/"):
            return comment_text(lines[: i + 1]), lines[i + 1:]
    return "", lines


def api():
    out = ["# The API", "",
           "Made from `include/cjourney.h` by `make docs`; do not edit it here.", ""]
    for piece in paragraphs():
        rule = RULE.match(piece[0])
        if rule:
            out += [f"## {rule.group(1).capitalize()}", ""]
            continue
        if piece[0].startswith(("#ifdef", "#ifndef", "#endif", "#include", "extern")):
            continue
        text, code = split_comment(piece)
        if code and code[0].startswith("#ifndef"):
            code = []
        bare = re.sub(r"/\*.*?\*/", "", "\n".join(code), flags=re.S)
        name = re.search(r"\b(cj_\w+)\s*\(|typedef struct (cj_\w+) \{", bare)
        if name:
            out += [f"### {name.group(1) or name.group(2)}", ""]
        if code:
            out += ["```c", *code, "```", ""]
        if text:
            out += [text, ""]
    return "\n".join(out).rstrip() + "\n"


METRICS = """# Metrics

Made from `lib/metrics/rfm_class.c` by `make docs`; do not edit it here.

## RFM: recency, frequency, monetary value

For every customer with at least one order of a positive total in [`from`, `as_of`). An order of
zero is kept, and is no purchase. Profiles known by nothing but a `guest` identifier are left out
unless asked for.

| column | meaning |
| --- | --- |
| recency_days | local date of `as_of` less local date of the last such order, in the store's time zone; or `recency_hours`, whole hours between them |
| frequency | number of such orders; or of distinct local days with one, less 1 (repeat days, as the value models count) |
| monetary_minor | orders less refunds (net), or orders with a positive total (gross); the sum, or the mean per such order rounded half to even; in minor units of the store's currency |
| r, f, m | scores from 1 to n, n is best |
| class | the first class below that fits |

**Quantile scores** (n from 2 to 10, usually 5): 1 + floor(n x worse / customers), where *worse* counts the
customers with a value strictly worse. Equal values share a score; a score that no value
reaches stays empty. **Fixed thresholds**: 1 + the number of limits that the value reaches; for
recency, n + 1 less the number of limits that it exceeds.

**Classes**: scores are brought to 1..5 (ceil(score x 5 / n)); of the classes in this order the first
one wins whose three ranges hold. They cover all 125 combinations; the host may bring its
own table.

| class | r | f | m | meaning |
| --- | --- | --- | --- | --- |
"""


def metrics():
    source = (ROOT / "lib/metrics/rfm_class.c").read_text()
    rows = re.findall(r'\{"([^"]+)",\s*\{([\d, ]+)\},\s*"([^"]+)"\s*\}', source)
    out = METRICS
    for name, numbers, meaning in rows:
        low_high = [int(n) for n in numbers.split(",")]
        ranges = [f"{a}-{b}" if a != b else ("any" if a == 0 else str(a))
                  for a, b in zip(low_high[::2], low_high[1::2])]
        out += f"| {name} | {' | '.join(ranges)} | {meaning} |\n"
    return out


# How the letters of cj__seg_function.arguments are written.
ARGUMENTS = {
    "s": "event", "f": "field", "h": "event of event", "q": "event -> event …",
    "u": "event -> event", "w": "event by event within duration",
    "p": "K of last N days\\|weeks\\|months", "t": "text", "x": "text", "n": "number", "%": "share %",
    "d": "duration", "e": "time", "r": "trait", "b": "product, list or where …", "k": "kind",
    "c": "channel", "g": "stage",
}
STRING = r'((?:"(?:\\.|[^"\\])*"\s*)+)'


def c_string(text):
    return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', text)).replace('\\"', '"')


def segment_functions():
    source = (ROOT / "lib/segment/function.c").read_text()
    rows = re.findall(r'\{"(\w+)", "([^"]*)", (\d), (\w+),\s*' + STRING + r",\s*" + STRING + r"\}", source)
    out = ["| function | gives | meaning | for example |", "| --- | --- | --- | --- |"]
    for name, letters, window, kind, meaning, example in rows:
        arguments = re.sub(r"(.)\?", lambda m: f"[{m.group(1)}", letters)
        written = ", ".join("[" * (a[0] == "[") + ARGUMENTS[a[-1]] + "]" * (a[0] == "[")
                            for a in re.findall(r"\[?.", arguments))
        if window == "1":
            written += "[, window]" if written else "[window]"
        gives = "the field" if kind == "NONE" else kind.lower()
        out += [f"| `{name}({written})` | {gives} | {c_string(meaning)} | `{c_string(example)}` |"]
    return out


def segment_fields():
    source = (ROOT / "lib/segment/word.c").read_text()
    table = source[source.index("word_fields[]"):]
    rows = re.findall(r'\{"(\w+)",\s*CJ__TYPE_(\w+),', table)
    return [", ".join(f"`{name}` ({kind.lower()})" for name, kind in rows)]


def segment_reserved():
    source = (ROOT / "lib/segment/word.c").read_text()
    table = re.search(r"word_reserved\[\] = \{(.*?)\};", source, re.S).group(1)
    return ["`" + " ".join(re.findall(r'"(\w+)"', table)) + "`"]


def segments():
    text = (ROOT / "docs/SEGMENTS.md").read_text()
    for name, lines in (("functions", segment_functions()), ("fields", segment_fields()),
                        ("reserved", segment_reserved())):
        made = "\n".join(lines).replace("\\", "\\\\")
        text = re.sub(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- end of {name} -->)", rf"\1{made}\n\2", text,
                      flags=re.S)
    return text


def value_models():
    """A row per model of lib/metrics/clv.c, in its order, from the fields of its file."""
    order = re.search(r"cj__clv_all\[\] = \{(.*?)NULL", (ROOT / "lib/metrics/clv.c").read_text(), re.S).group(1)
    out = ["| model | name | take it for | parameters | source |", "| --- | --- | --- | --- | --- |"]
    for name in re.findall(r"&cj__clv_(\w+)", order):
        source = (ROOT / f"lib/metrics/clv_{name}.c").read_text()
        fields = {field: c_string(re.search(rf"\.{field} =\s*{STRING}", source).group(1))
                  for field in ("name", "title", "source", "when")}
        params = re.findall(r'"(\w+)"', re.search(r"\.params = \{(.*?)\}", source, re.S).group(1))
        out.append(f"| {fields['title']} | `{fields['name']}` | {fields['when']} | {', '.join(params)} | "
                   f"{fields['source']} |")
    return out


def value_endings():
    """A row per way in which a fit can end: those of all models, then the limits of each."""
    source = (ROOT / "lib/metrics/clv_result.c").read_text()
    ends = re.search(r"cj__clv_ends\[CJ__CLV_ENDS\] = \{(.*?)\n\};", source, re.S).group(1)
    rows = {(name, c_string(text)): [] for name, text in re.findall(rf'\{{"(\w+)",\s*{STRING}', ends)}
    files = {"bg": "BG/NBD and its kin", "nbd": "NBD", "paretonbd": "Pareto/NBD", "bgbb": "BG/BB",
             "gammagamma": "Gamma-Gamma", "sbg": "sBG", "bdw": "BdW"}
    for file, title in files.items():
        source = (ROOT / f"lib/metrics/clv_{file}.c").read_text()
        limits = re.search(r"cj__clv_limit \w+\[\] = \{(.*?)\n\};", source, re.S).group(1)
        for name, text in re.findall(rf'-?1,\s*"(\w+)",\s*{STRING}', limits):
            titles = rows.setdefault((name, c_string(text)), [])
            if title not in titles:
                titles.append(title)
    out = ["| status | what it says | models |", "| --- | --- | --- |"]
    return out + [f"| `{name}` | {text} | {', '.join(titles) or 'all'} |"
                  for (name, text), titles in rows.items()]


def value():
    text = (ROOT / "docs/VALUE.md").read_text()
    for name, lines in (("models", value_models()), ("endings", value_endings())):
        made = "\n".join(lines).replace("\\", "\\\\")
        text = re.sub(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- end of {name} -->)", rf"\1{made}\n\2", text,
                      flags=re.S)
    return text


def main():
    stale = []
    for name, text in (("docs/SYMBOLS", symbols()), ("docs/API.md", api()),
                       ("docs/METRICS.md", metrics()), ("docs/SEGMENTS.md", segments()),
                       ("docs/VALUE.md", value())):
        file = ROOT / name
        if file.exists() and file.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            file.write_text(text)
    if "--check" in sys.argv and stale:
        print(f"{' and '.join(stale)}: not what the code says; run make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
