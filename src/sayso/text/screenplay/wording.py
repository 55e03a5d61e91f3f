"""The words of screenplays in other languages: a table, language by language.

Each row says how a language opens a scene heading (``places``: words that may be
shortened to end with a full stop, ``abbreviations``: those that never stand without
one or a dash), how it numbers scenes, names transitions and marks what goes on. A
language is added by adding a row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Wording:
    """How one language writes the marks of a screenplay; each field holds words between commas.

    Args:
        places: words that open a scene heading, with or without a full stop behind.
        abbreviations: those that open one only with a full stop, a colon, a slash or a dash behind.
        scenes: words before the number of a scene ("Scene 3: ...").
        transitions: whole transitions.
        cuts: words that open a transition that ends with where it goes to.
        again: what stands in brackets where a speech goes on, or on the next page.
        credits: lines of a title page above who wrote it.
    """

    places: str = ""
    abbreviations: str = ""
    scenes: str = ""
    transitions: str = ""
    cuts: str = ""
    again: str = ""
    credits: str = ""


WORDINGS = {
    "en": Wording(
        places="INT, EXT, EST, INTERIOR, EXTERIOR",
        abbreviations="I, E",
        scenes="SCENE",
        transitions="FADE IN, FADE OUT, FADE UP, FADE TO BLACK, CUT TO BLACK, THE END, END CREDITS, "
        "ROLL CREDITS, INTERCUT, DISSOLVE, BLACKOUT",
        again="CONT, CONT'D, CONT’D, CONTD, CONTINUED, CONTINUING, MORE",
        credits="BY, WRITTEN BY, SCREENPLAY BY, A SCREENPLAY BY, ORIGINAL SCREENPLAY BY, STORY BY, "
        "TELEPLAY BY, BASED ON",
    ),
    "de": Wording(
        places="INNEN, AUSSEN, AUßEN",
        abbreviations="INN, AUS, AUSS, A",
        scenes="SZENE, BILD",
        transitions="AUFBLENDE, ABBLENDE, ÜBERBLENDUNG, SCHWARZBLENDE, SCHWARZ, ENDE, ABSPANN, SCHNITT",
        cuts="SCHNITT AUF, SCHNITT ZU, SCHNITT, ÜBERBLENDUNG ZU, ÜBERBLENDUNG AUF",
        again="FORTS, FORTGESETZT, FORTSETZUNG, WEITER, MEHR",
        credits="VON, DREHBUCH, DREHBUCH VON, EIN DREHBUCH VON",
    ),
    "fr": Wording(
        places="INTÉRIEUR, EXTÉRIEUR, INTERIEUR, EXTERIEUR",
        scenes="SCÈNE, SÉQUENCE",
        transitions="FONDU AU NOIR, FONDU, FONDU ENCHAÎNÉ, OUVERTURE AU NOIR, NOIR, COUPE, FIN, GÉNÉRIQUE",
        cuts="COUPE À, COUPE SUR, COUPE FRANCHE, FONDU ENCHAÎNÉ SUR",
        again="SUITE, CONTINUE, CONTINUANT, À SUIVRE",
        credits="DE, PAR, ÉCRIT PAR, SCÉNARIO DE, SCÉNARIO, UN SCÉNARIO DE",
    ),
    "es": Wording(
        places="INTERIOR, EXTERIOR",
        scenes="ESCENA, SECUENCIA",
        transitions="FUNDIDO A NEGRO, FUNDE A NEGRO, FUNDIDO, ENCADENADO, DISOLVENCIA, CORTE, FIN, "
        "ABRE DE NEGRO",
        cuts="CORTE A, CORTA A, FUNDE A, FUNDIDO A, ENCADENA CON, DISUELVE A",
        again="CONTINÚA, CONTINUA, CONTINUACIÓN, CONTINUANDO, MÁS, SIGUE",
        credits="DE, POR, ESCRITO POR, GUION DE, GUIÓN DE, UN GUION DE, UN GUIÓN DE",
    ),
    "it": Wording(
        places="INTERNO, ESTERNO",
        scenes="SCENA, SEQUENZA",
        transitions="DISSOLVENZA, DISSOLVENZA IN NERO, DISSOLVENZA INCROCIATA, STACCO, NERO, FINE, "
        "TITOLI DI CODA",
        cuts="STACCO SU, STACCO A, DISSOLVENZA SU, DISSOLVENZA A, TAGLIO A",
        again="SEGUE, CONTINUA, CONTINUANDO",
        credits="DI, SCRITTO DA, SCENEGGIATURA DI, SOGGETTO DI",
    ),
    "pt": Wording(
        places="INTERIOR, EXTERIOR, INTERNA, EXTERNA",
        scenes="CENA, SEQUÊNCIA",
        transitions="FUSÃO, CORTE, CORTE SECO, FIM, ESCURECE, CLAREIA, CRÉDITOS FINAIS",
        cuts="CORTA PARA, CORTE PARA, FUSÃO PARA, FADE PARA",
        again="CONTINUA, CONTINUANDO, CONTINUAÇÃO, MAIS",
        credits="DE, POR, ESCRITO POR, ROTEIRO DE, UM ROTEIRO DE, ARGUMENTO DE",
    ),
    "ru": Wording(
        places="ИНТ, НАТ, ЭКСТ, ИНТЕРЬЕР, НАТУРА, ЭКСТЕРЬЕР, ПАВ, ПАВИЛЬОН",
        abbreviations="И, Н, Э",
        scenes="СЦЕНА, ЭПИЗОД",
        transitions="ЗТМ, ИЗ ЗТМ, ЗАТЕМНЕНИЕ, НАПЛЫВ, КОНЕЦ, ТИТРЫ, СКЛЕЙКА",
        cuts="СКЛЕЙКА НА, ПЕРЕХОД К",
        again="ПРОД, ПРОДОЛЖАЯ, ПРОДОЛЖАЕТ, ПРОДОЛЖЕНИЕ, ДАЛЬШЕ, ДАЛЕЕ",
        credits="АВТОР, АВТОР СЦЕНАРИЯ, СЦЕНАРИЙ, АВТОРЫ",
    ),
    "uk": Wording(places="ІНТ, НАТ, ЕКСТ, ІНТЕР'ЄР", scenes="СЦЕНА", transitions="ЗТМ, КІНЕЦЬ", again="ПРОД"),
    "nl": Wording(places="BINNEN, BUITEN", scenes="SCÈNE", transitions="EINDE", again="VERVOLG"),
    "sv": Wording(places="INTERIÖR, EXTERIÖR", scenes="SCEN", transitions="SLUT", again="FORTS"),
    "pl": Wording(places="WNĘTRZE, PLENER", abbreviations="WN, PL, WNĘ, PLE", scenes="SCENA", again="CD"),
    "cs": Wording(places="INTERIÉR, EXTERIÉR", scenes="SCÉNA", transitions="KONEC", again="POKR"),
    "tr": Wording(abbreviations="İÇ, DIŞ", scenes="SAHNE", transitions="SON", again="DEVAM"),
}


@cache
def words_of(field: str) -> frozenset[str]:
    """Return the words of one field in all languages."""
    rows = (getattr(wording, field).split(",") for wording in WORDINGS.values())
    return frozenset(word.strip() for row in rows for word in row if word.strip())


def word_pattern(field: str) -> str:
    """Return a regular expression (to be put in brackets) of the words of one field, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words_of(field), key=lambda word: (-len(word), word)))
