"""Words: vocabularies, verbs and objects, steps in narration."""
