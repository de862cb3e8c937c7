"""Compares what our validation and the HL7 validator say of a corpus: `agree.py DIRECTORY [--short]`.

DIRECTORY holds `ours.tsv` and `theirs.tsv`: file, place, key, words of each error; `-` where there is none. Every
disagreement must be explained in `explained.tsv`, and (but for a short corpus) every explanation must explain one.
Only the standard library is used.
"""

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

EXPLAINED = Path(__file__).resolve().parent / "corpus" / "explained.tsv"
SIDES = ("ours", "theirs", "place")


def errors(file):
    """The errors by file; a file without errors has an empty list."""
    found = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines():
        name, place, key, words = line.split("\t")
        found[name]
        if (place, key, words) != ("-", "-", "-"):
            found[name].append((place, key, words))
    return found


def plain(place):
    """A place as both sides would write it: without what kind of resource or of choice it is; empty for the whole."""
    if place in ("-", "null", "$", "(xml)"):
        return ""
    if place.startswith("/"):
        place = place[1:].replace("f:", "").replace("/", ".")
    place = re.sub(r"/\*.*?\*/", "", place)
    return re.sub(r"\.ofType\(\w+\)|\[x\]", "", place)


def same_place(ours, theirs):
    """Whether one of our places is, contains or lies in one of theirs."""
    def inside(one, other):
        return not other or one == other or one.startswith((other + ".", other + "["))
    # Places in XML do not say which of the repetitions is meant.
    in_xml = any(place.startswith("/") for place, _, _ in theirs)
    ours = [re.sub(r"\[\d+\]", "", plain(place)) if in_xml else plain(place) for place, _, _ in ours]
    theirs = [plain(place) for place, _, _ in theirs]
    return any(inside(a, b) or inside(b, a) for a in ours for b in theirs)


class Explanations:
    """The disagreements that are known, each with its reason, and how often each was met."""

    def __init__(self, file):
        self.rows = []
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if line and not line.startswith("#"):
                side, pattern, why = line.split("\t")
                if side not in SIDES or not why:
                    raise SystemExit(f"{file}:{number}: not a side, a pattern and a reason")
                self.rows.append((side, re.compile(pattern), why))
        self.met = Counter()

    def explains(self, side, text):
        """Whether a disagreement is known."""
        known = [number for number, (of, pattern, _) in enumerate(self.rows) if of == side and pattern.search(text)]
        self.met.update(known[:1])
        return bool(known)

    def unused(self):
        """Those that explain nothing."""
        return [f"{side} {pattern.pattern}" for number, (side, pattern, _) in enumerate(self.rows) if not self.met[number]]


def disagreements(ours, theirs):
    """Each as its side, and the texts that must all be explained."""
    for name in sorted(ours):
        a, b = ours[name], theirs[name]
        if a and not b:
            yield "ours", name, [f"{name} {place} {key}: {words}" for place, key, words in a]
        elif b and not a:
            yield "theirs", name, [f"{name} {place} {key}: {words}" for place, key, words in b]
        elif a and b and not same_place(a, b):
            yield "place", name, [f"{name} {a[0][0]} {a[0][2]} | {b[0][0]} {b[0][1]}: {b[0][2]}"]


def main():
    """Prints the table; the exit status says whether every disagreement is explained, and every explanation needed."""
    arguments = sys.argv[1:]
    short = "--short" in arguments
    arguments = [argument for argument in arguments if argument != "--short"]
    if len(arguments) != 1:
        print("usage: agree.py DIRECTORY [--short]", file=sys.stderr)
        return 2
    directory = Path(arguments[0])
    ours, theirs = errors(directory / "ours.tsv"), errors(directory / "theirs.tsv")
    if not ours or set(ours) != set(theirs):
        print(f"not the same files: {sorted(set(ours) ^ set(theirs))[:5]}")
        return 1
    explanations = Explanations(EXPLAINED)
    table = Counter()
    wrong = []
    for name in ours:
        release = "STU3" if ".stu3." in name else "R4"
        both = {(False, False): "both accept", (True, True): "both refuse", (True, False): "only we refuse", (False, True): "only it refuses"}
        table[release, both[bool(ours[name]), bool(theirs[name])]] += 1
    for side, name, texts in disagreements(ours, theirs):
        release = "STU3" if ".stu3." in name else "R4"
        unknown = [text for text in texts if not explanations.explains(side, text)]
        if unknown:
            wrong += [f"{side}: {text}" for text in unknown]
        if side == "place":
            table[release, "both refuse, elsewhere"] += 1
    for line in wrong:
        print(line)
    print(f"{'':24}{'STU3':>8}{'R4':>8}")
    for row in ("both accept", "both refuse", "both refuse, elsewhere", "only we refuse", "only it refuses"):
        print(f"{row:24}{table['STU3', row]:>8}{table['R4', row]:>8}")
    unused = [] if short else explanations.unused()
    for line in unused:
        print(f"explains nothing any more: {line}")
    print(f"agree: {len(ours)} resources, {len(wrong)} findings not explained, {len(unused)} explanations not needed")
    return 1 if wrong or unused else 0


if __name__ == "__main__":
    sys.exit(main())
