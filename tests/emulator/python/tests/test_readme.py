"""The front page does what it says."""

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
TEXT = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```python([^\n]*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("needs", "block"), BLOCKS, ids=[block.strip().splitlines()[0] for _, block in BLOCKS])
def test_a_block_of_the_front_page_runs(pytester: pytest.Pytester, needs: str, block: str) -> None:
    for module in needs.split():
        pytest.importorskip(module.replace("-", "_"))
    if "def test_" not in block:
        block = "from aks_acr_emulator import Emulator\n\ndef test_it():\n    " + block.replace("\n", "\n    ")
    pytester.makepyfile(block)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
