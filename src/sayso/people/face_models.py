"""The face models: a detector, five landmarks, and a descriptor, all in the public domain.

The extra ``faces`` brings them: ``dlib-bin`` (the library) and ``face-recognition-models``
(the weights of Davis King, CC0). The package's 68 landmarks are not used: the pictures that they
were trained on may not be used commercially.

Sources
    King, "Dlib-ml", JMLR 2009 (a HOG detector); Kazemi & Sullivan, CVPR 2014 (landmarks);
    He et al., CVPR 2016, as trained by King 2017 (128-d descriptor; one person is below about 0.5 apart).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats
from sayso.core.errors import MissingExtra, Unavailable
from sayso.core.install import install_command
from sayso.core.io import sha256_of
from sayso.core.lazy import need
from sayso.core.types import Box

PACKAGE = "face_recognition_models"
LANDMARKS = "shape_predictor_5_face_landmarks.dat"
DESCRIPTOR = "dlib_face_recognition_resnet_model_v1.dat"
SHA256 = {
    LANDMARKS: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    DESCRIPTOR: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
}


@dataclass(frozen=True, eq=False)
class Face:
    """A face in one frame.

    Attributes:
        box: pixels of the frame; it may reach over the frame's edge.
        score: of the detector, higher is surer; 0 is its usual threshold.
        landmarks: (5, 2) x and y of the corners of both eyes and the base of the nose.
        marks: the landmarks as dlib has them.
    """

    box: Box
    score: float
    landmarks: Floats
    marks: Any


class FaceModels:
    """The three models, loaded.

    Raises:
        MissingExtra: if the extra ``faces`` is not installed.
        Unavailable: if a file of weights is not the one that was tested.
    """

    def __init__(self) -> None:
        self.dlib: Any = need("dlib", "faces")
        self._detector = self.dlib.get_frontal_face_detector()
        self._predictor = self.dlib.shape_predictor(str(face_weights(LANDMARKS)))
        self._descriptor: Any = None

    def detect(self, frame: NDArray[np.uint8], threshold: float = 0.0) -> list[Face]:
        """Return the faces of a frame, at least 40 pixels across, surest first.

        Args:
            frame: (H, W, 3) uint8 RGB.
            threshold: of the detector's score; lower finds more faces, and more that are none.
        """
        boxes, scores, _ = self._detector.run(frame, 1, threshold)
        return [self.landmarks(frame, box, score) for box, score in zip(boxes, scores, strict=True)]

    def landmarks(self, frame: NDArray[np.uint8], box: Any, score: float = 0.0) -> Face:
        """Return the face in a rectangle, with its landmarks.

        Args:
            frame: (H, W, 3) uint8 RGB.
            box: a rectangle of dlib.
            score: of the detector.
        """
        marks = self._predictor(frame, box)
        points = np.array([(point.x, point.y) for point in marks.parts()], dtype=np.float64)
        edges = Box(box.left(), box.top(), box.right() + 1, box.bottom() + 1)
        return Face(edges, float(score), points, marks)

    def aligned_chip(self, frame: NDArray[np.uint8], face: Face, size: int) -> NDArray[np.uint8]:
        """Return the face upright and centred by its landmarks, (size, size, 3) uint8.

        Args:
            frame: (H, W, 3) uint8 RGB.
            face: one of its faces.
            size: pixels of the picture's sides.
        """
        return np.asarray(self.dlib.get_face_chip(frame, face.marks, size=size, padding=0.25), dtype=np.uint8)

    def describe(self, chips: NDArray[np.uint8]) -> Floats:
        """Return the mean descriptor, (128,), of chips (B, 150, 150, 3) of one face."""
        if self._descriptor is None:
            self._descriptor = self.dlib.face_recognition_model_v1(str(face_weights(DESCRIPTOR)))
        each = [np.array(self._descriptor.compute_face_descriptor(chip)) for chip in chips]
        return np.asarray(np.mean(each, axis=0))

    def correlation_tracker(self) -> Any:
        """Return a correlation tracker (Danelljan et al., BMVC 2014)."""
        return self.dlib.correlation_tracker()

    def rectangle(self, box: Box) -> Any:
        """Return a box as dlib has it, whole pixels."""
        return self.dlib.rectangle(*(round(v) for v in (box.x0, box.y0, box.x1 - 1, box.y1 - 1)))


@cache
def face_weights(name: str) -> Path:
    """Return a file of weights, checked against its SHA-256.

    Raises:
        MissingExtra: if the package that ships it is not installed.
        Unavailable: if the file is missing or another one.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra(PACKAGE, "faces")
    path = Path(spec.submodule_search_locations[0]) / "models" / name
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise Unavailable(f"{path} is not there; run: {install_command('faces', again=True)}") from error
    if digest != SHA256[name]:
        raise Unavailable(
            f"{path} is not the file that was tested; run: {install_command('faces', again=True)}"
        )
    return path
