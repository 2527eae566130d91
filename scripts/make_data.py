#!/usr/bin/env python3
"""Writes the project's own data sets under data/ (standard library only, fixed seeds: every run writes the same bytes).

    scripts/make_data.py            write all
    scripts/make_data.py --check    write nothing; exit 1 when a file differs from what would be written
    scripts/make_data.py --show 20  print random rows of each set, to be read with a critical eye
"""
import argparse
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from data_sets import domain_text, entities, faq_qa, house_style, intents, phrases_de, policy_qa, shop_chat, support_chat, ticket_summary, transactions, triage, ward_notes  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent / "data"
SETS = (intents, transactions, triage, entities, faq_qa, domain_text, support_chat, shop_chat, phrases_de, policy_qa, ticket_summary, house_style, ward_notes)


def files_of(data_set):
    """{path: text} of one data set, README included."""
    folder = ROOT / data_set.NAME
    files = {folder / name: text for name, text in data_set.files().items()}
    files[folder / "README.md"] = data_set.README.strip() + "\n"
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N random lines of each set")
    arguments = parser.parse_args()
    different = []
    for data_set in SETS:
        files = files_of(data_set)
        for path, text in files.items():
            if arguments.check or arguments.show:
                if arguments.check and (not path.exists() or path.read_bytes() != text.encode()):
                    different.append(str(path.relative_to(ROOT.parent)))
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        lines = [line for path, text in files.items() if path.suffix != ".md" for line in text.splitlines()]
        if arguments.show:
            print(f"== {data_set.NAME}: {len(lines)} lines")
            print("\n".join(random.sample(lines, min(arguments.show, len(lines)))))
    if different:
        print("differs from what scripts/make_data.py writes: " + ", ".join(different), file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
