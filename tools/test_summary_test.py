# SPDX-License-Identifier: Apache-2.0
"""The summary of a test run counts right and gives the reason of each skip."""

import unittest
import xml.etree.ElementTree as ElementTree

from test_summary import summary

REPORT = """<testsuite>
  <testcase name="a" status="run"/>
  <testcase name="b" status="run"/>
  <testcase name="c" status="fail"><system-out>boom</system-out></testcase>
  <testcase name="gpu" status="notrun"><skipped message=""/><system-out>[ RUN      ] Gpu.Lists
nvml_test.cc:12: Skipped
no NVIDIA driver

[  SKIPPED ] Gpu.Lists (0 ms)
</system-out></testcase>
</testsuite>"""


class SummaryTest(unittest.TestCase):
    def test_counts_failures_and_reasons(self):
        lines = summary(ElementTree.fromstring(REPORT))
        self.assertEqual(lines[-1], "2 passed, 1 failed, 1 skipped")
        self.assertIn("  gpu: no NVIDIA driver", lines)
        self.assertIn("  c", lines)


if __name__ == "__main__":
    unittest.main()
