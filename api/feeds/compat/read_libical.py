"""Reads feeds with libical. Usage: read_libical.py FOLDER"""

import pathlib
import sys

import gi

gi.require_version("ICalGLib", "3.0")
from gi.repository import ICalGLib  # noqa: E402

for path in sorted(pathlib.Path(sys.argv[1]).glob("*.ics")) + sorted(pathlib.Path(sys.argv[1]).glob("*.ifb")):
    root = ICalGLib.Component.new_from_string(path.read_text())
    print(f"ok: libical reads {path.name}" if root and root.is_valid() else f"FAILED: libical reads {path.name}")
    if not root:
        continue
    n = root.count_errors()
    ICalGLib.restriction_check(root)
    more = root.count_errors()
    print(f"ok: no errors in {path.name}" if n == more == 0 else f"FAILED: {n} and {more} errors in {path.name}")
print("done")
