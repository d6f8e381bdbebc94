"""The fixtures that pytest finds by itself."""

import pytest

pytest_plugins = ["pytester"]


def test_each_test_has_a_fresh_one_with_what_the_nearest_marker_says(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        pytestmark = pytest.mark.azure_emulator(scene={"groups": [{"name": "all"}]})
        seen = set()

        def test_one(azure_emulator):
            seen.add(azure_emulator.origin)
            assert [group["name"] for group in azure_emulator.state()["groups"]] == ["all"]

        @pytest.mark.azure_emulator({"groups": [{"name": "own"}]}, latency_ms=0)
        def test_other(azure_emulator):
            seen.add(azure_emulator.origin)
            assert [group["name"] for group in azure_emulator.state()["groups"]] == ["own"]
            assert len(seen) == 2
    """)
    pytester.runpytest_subprocess("--strict-markers").assert_outcomes(passed=2)


def test_a_factory_starts_as_many_as_a_test_wants_and_ends_them(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import os

        files = []

        def test_two(start_azure_emulator):
            one, other = start_azure_emulator(), start_azure_emulator({"groups": [{"name": "own"}]}, clock=60)
            assert one.state()["groups"] == [] and other.state()["groups"] != []
            files.extend([one.ca_file, other.ca_file])
            assert all(map(os.path.exists, files))

        def test_they_have_ended():
            assert files and not any(map(os.path.exists, files))
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_a_scene_that_is_not_understood_is_an_error_of_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.azure_emulator(scene={"registrys": []})
        def test_it(azure_emulator):
            pass
    """)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*scene.registrys: unknown field*"])


def test_importing_it_takes_no_time_of_tests_that_do_not_use_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import sys

        def test_nothing_of_azure_is_loaded():
            assert not [name for name in sys.modules if name == "azure" or name.startswith("azure.")]
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
