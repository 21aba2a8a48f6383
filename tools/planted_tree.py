# SPDX-License-Identifier: Apache-2.0
"""A small tree in a temporary folder, for tests that plant a fault and demand that it is caught."""

import tempfile
import unittest
from pathlib import Path

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


class PlantedTreeTest(unittest.TestCase):
    """Subclasses set `check` (the function under test) and `clean` ({path: text} without faults)."""

    check = None
    clean = {}

    def faults_of(self, changes):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**self.clean, **changes}.items():
                target = Path(folder) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            return type(self).check(Path(folder))

    def assert_clean(self, changes=None):
        self.assertEqual(self.faults_of(changes or {}), [])

    def assert_caught(self, changes, message):
        faults = self.faults_of(changes)
        self.assertTrue(any(message in fault for fault in faults), f"'{message}' not in {faults}")
