"""At the end: the counts of each class."""

from readers import Count


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("manifests, as Kubernetes reads them and as they are read here")
    for name, counts in Count.table.items():
        listed = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))
        terminalreporter.write_line(f"{name}: {listed}")
