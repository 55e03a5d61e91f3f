"""Words: vocabularies, verbs and objects, what narration tells of."""
