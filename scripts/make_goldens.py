#!/usr/bin/env python3
"""Writes tests/goldens/<module>/ from the reference libraries (scripts/reference_env.sh installs them).

make_goldens.py [MODULE…]: every module whose libraries this Python has by default. Each has a file
scripts/goldens/<module>.py with write(folder).
"""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    modules = sorted(path.stem for path in (ROOT / "scripts" / "goldens").glob("*.py"))
    sys.dont_write_bytecode = True
    for module in sys.argv[1:] or modules:
        # Under its own name a file called like an installed package (tokenizers) would hide that package.
        spec = importlib.util.spec_from_file_location(f"goldens_{module}", ROOT / "scripts" / "goldens" / f"{module}.py")
        section = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(section)
        except ModuleNotFoundError as missing:
            if sys.argv[1:]:
                raise
            print(f"left out {module}: {missing}")
            continue
        folder = ROOT / "tests" / "goldens" / module
        folder.mkdir(parents=True, exist_ok=True)
        section.write(folder)
        print(f"wrote {folder.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
