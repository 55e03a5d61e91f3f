"""Speech recognition: who says which word when, by faster-whisper (extra ``speech``; no torch)."""
