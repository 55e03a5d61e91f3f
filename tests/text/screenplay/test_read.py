"""Files of other kinds: Final Draft and web pages are read, the rest is refused or doubted."""

from __future__ import annotations

import pytest

from sayso.core.errors import SaysoError
from sayso.text import read_screenplay
from sayso.text.screenplay import read
from sayso.text.screenplay.elements import Element, Screenplay
from sayso.text.screenplay.html_text import html_lines, looks_like_html
from sayso.text.screenplay.plausible import implausible, other_kind

FINAL_DRAFT = """\
<?xml version="1.0" encoding="UTF-8" ?>
<FinalDraft DocumentType="Script" Version="5"><Content>
<Paragraph Number="7" Type="Scene Heading"><SceneProperties Title="no"/>
<Text>EXT. YARD - DAWN</Text></Paragraph>
<Paragraph Type="Action"><Text>A dog </Text><Text Style="Bold">barks</Text><Text>.</Text>
<ScriptNote><Paragraph><Text>a note</Text></Paragraph></ScriptNote></Paragraph>
<Paragraph Type="Character"><Text>McBRIDE (V.O.)</Text></Paragraph>
<Paragraph Type="Dialogue"><Text>Quiet, &amp; sit.</Text></Paragraph>
<Paragraph><DualDialogue>
<Paragraph Type="Character"><Text>ANN</Text></Paragraph>
<Paragraph Type="Dialogue"><Text>Yes.</Text></Paragraph>
<Paragraph Type="Character"><Text>BO</Text></Paragraph><Paragraph Type="Dialogue"><Text>No.</Text></Paragraph>
</DualDialogue></Paragraph>
<Paragraph Type="Transition"><Text>CUT TO:</Text></Paragraph>
</Content><TitlePage><Content><Paragraph><Text>The title</Text></Paragraph></Content></TitlePage></FinalDraft>
"""
PRE = """\
<html><head><title>x</title></head><body><table><tr><td><a href="/">Home</a> menu</td></tr></table><pre>
<b>INT. TOWER - NIGHT
</b>
 Two men cross.

<b>                              McTAVISH
</b>               Open the door.

<b>                              GUARD
</b>               Nobody goes up.
</pre></body></html>
"""
FLAT = """\
<html><body><pre><b>INT. TOWER - NIGHT</b>

Two men cross.

<b>McTAVISH</b>
Open the door.

<b>GUARD</b>
Nobody goes up.
</pre></body></html>
"""
PARAGRAPHS = """\
<html><body><div class="script"><h3>INT. TOWER - NIGHT</h3><p class="action">Two men
cross.</p><p class="character">GUARD</p>
<p class="dialogue">Nobody goes
up.</p><p class="character">ANNA</p><p class="dialogue">I do.</p></div></body></html>
"""


@pytest.fixture
def file(tmp_path):
    def write(content: str):
        path = tmp_path / "my script"
        path.write_text(content)
        return path

    return write


def test_final_draft(file):
    found = [
        (one.kind, one.speaker, one.text, one.dual) for one in read_screenplay(file(FINAL_DRAFT)).elements
    ]
    assert found == [
        ("heading", None, "EXT. YARD - DAWN", False),
        ("description", None, "A dog barks.", False),
        ("dialogue", "McBRIDE", "Quiet, & sit.", False),
        ("dialogue", "ANN", "Yes.", False),
        ("dialogue", "BO", "No.", True),
        ("transition", None, "CUT TO:", False),
    ]
    screenplay = read_screenplay(file(FINAL_DRAFT))
    assert (screenplay.elements[0].number, screenplay.elements[2].extension) == ("7", "V.O.")


def test_a_broken_final_draft_file_names_the_line(file):
    with pytest.raises(SaysoError, match="the XML of this Final Draft file is broken \\(line 6"):
        read_screenplay(file(FINAL_DRAFT[:330]))
    bomb = FINAL_DRAFT.replace("<FinalDraft", '<!DOCTYPE a [<!ENTITY b "c">]><FinalDraft', 1)
    with pytest.raises(SaysoError, match="document type"):
        read_screenplay(file(bomb))


def test_a_speech_of_nobody_is_doubted(file):
    screenplay = read_screenplay(
        file(FINAL_DRAFT.replace('Type="Character"><Text>McBRIDE', 'Type="Action"><Text>x'))
    )
    assert [(doubt.line, "nobody is named" in doubt.message) for doubt in screenplay.doubts] == [(8, True)]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (PRE, [("McTAVISH", "Open the door."), ("GUARD", "Nobody goes up.")]),
        (FLAT, [("McTAVISH", "Open the door."), ("GUARD", "Nobody goes up.")]),
        (PARAGRAPHS, [("GUARD", "Nobody goes up."), ("ANNA", "I do.")]),
    ],
)
def test_web_pages(file, page, said):
    screenplay = read_screenplay(file(page))
    assert [(one.speaker, one.text) for one in screenplay.of_kind("dialogue")] == said
    assert [one.text for one in screenplay.of_kind("heading")] == ["INT. TOWER - NIGHT"]
    assert screenplay.elements[1].text == "Two men cross."


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("<?xml version='1.0'?><svg xmlns='x'><path d='m 0 0'/></svg>", "XML \\(<svg>\\)"),
        ("<rss><channel><title>News</title></channel></rss>", "XML \\(<rss>\\)"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "a caption file \\(WebVTT\\)"),
        (
            "1\n00:00:01,000 --> 00:00:02,000\nHi\n\n2\n00:00:03,000 --> 00:00:04,000\nHo\n",
            "a caption file \\(SRT",
        ),
        ("[Events]\nDialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,Hi\n", "a caption file \\(SubStation"),
        ("{10}{20}Hi\n{30}{40}Ho\n", "a caption file \\(MicroDVD"),
        ('{"a": [1, 2]}', "JSON"),
        ("{\\rtf1\\ansi INT. HOUSE}", "an RTF document"),
        (
            "It was late. She went home,\nand nobody saw her again.\n\nThe end of it.\n",
            "text without scene headings",
        ),
        ("name,age\nAnna,3\nBen,4\n", "text without scene headings"),
    ],
)
def test_other_kinds_are_refused_in_one_sentence(file, content, what):
    with pytest.raises(SaysoError, match=f"my script: expected a screenplay, found {what}"):
        read_screenplay(file(content))


def test_what_may_be_none_is_doubted(file):
    prose = "CHAPTER ONE\n\nIt was late.\n\nTHE LETTER\nDear Anna, come home.\n\n" + "She went away.\n\n" * 99
    assert "may be no screenplay" in read_screenplay(file(prose)).doubts[0].message
    mail = "From: Anna\nTo: Ben\nSubject: the house\n\nDear Ben.\n"
    assert "may be no transcript" in read_screenplay(file(mail)).doubts[0].message


def test_bold_goes_on_in_the_next_line():
    text, bold = html_lines("<pre><b>ANN\nBOB</b>\nHello <b>there</b>\n <b>CAROL</b></pre>")
    assert text.split("\n") == ["ANN", "BOB", "Hello there", " CAROL"]
    assert bold == {0, 1, 3}


@pytest.mark.parametrize(
    "before", ["", "\n\n", '<?xml version="1.0" encoding="UTF-16"?>', '\n<?xml version="1.0"?>\n']
)
def test_final_draft_whatever_it_declares(file, before):
    paragraph = '<Paragraph Type="Scene Heading"><Text>INT. HALL</Text></Paragraph>'
    path = file(f"{before}<FinalDraft><Content>{paragraph}</Content></FinalDraft>")
    assert [one.text for one in read_screenplay(path).elements] == ["INT. HALL"]


def test_of_two_who_speak_at_once_the_second_one_is_dual(file):
    lines = [("Character", "ANN"), ("Parenthetical", "(low)"), ("Dialogue", "Yes."), ("Character", "BO")]
    lines += [("Dialogue", "No.")]
    inner = "".join(f'<Paragraph Type="{kind}"><Text>{text}</Text></Paragraph>' for kind, text in lines)
    content = f"<Content><Paragraph><DualDialogue>{inner}</DualDialogue></Paragraph></Content>"
    found = read_screenplay(file(f"<FinalDraft>{content}</FinalDraft>")).elements
    assert [(one.text, one.dual) for one in found] == [("(low)", False), ("Yes.", False), ("No.", True)]


@pytest.mark.parametrize(("tags", "is_page"), [(5, True), (4, False)])
def test_five_tags_make_a_web_page(tags, is_page):
    assert looks_like_html("a <br> b" * tags) == is_page


@pytest.mark.parametrize(("typed", "all_of_it"), [(14, True), (15, False)])
def test_typed_pages_are_the_text_where_they_are_more_than_half_of_the_page(typed, all_of_it):
    text, _ = html_lines("abc<pre>" + "x" * typed + "</pre>")
    assert text == "abc" * all_of_it + "x" * typed


def element(kind, words, speaker=None, line=1):
    return Element(kind, " ".join(["word"] * words), line, speaker)


@pytest.mark.parametrize(
    ("style", "elements", "doubted"),
    [
        ("flat", [element("dialogue", 1, "ANN"), element("description", 19)], False),
        ("flat", [element("dialogue", 1, "ANN"), element("description", 20)], True),
        ("flat", [element("description", 5)], True),
        ("flat", [element("heading", 2), element("description", 5)], False),
        ("flat", [element("dialogue", 5, "ANN"), element("dialogue", 5, "BO", 2)], True),
        ("flat", [element("dialogue", 5, "ANN"), element("dialogue", 5, "ANN", 2)], False),
        ("flat", [element("dialogue", 5, "ANN")], False),
        ("transcript", [element("dialogue", 5, "ANN"), element("dialogue", 5, "BO", 2)], False),
        ("transcript", [element("dialogue", 5, name, k) for k, name in enumerate("ABC")], True),
        ("transcript", [element("dialogue", 5, name, k) for k, name in enumerate("ABA")], False),
        ("transcript", [element("dialogue", 5, "A"), element("description", 5)], True),
        ("transcript", [element("dialogue", 5, "A", k) for k in (1, 2)] + [element("description", 5)], False),
    ],
)
def test_a_script_has_scenes_or_people_who_speak_more_than_once(style, elements, doubted):
    """One word in twenty is said; in a transcript two people may speak once, if nothing else is there."""
    assert (implausible(Screenplay(tuple(elements), style=style)) is not None) == doubted


@pytest.mark.parametrize(
    ("content", "kind"), [("[the end", None), ("3", None), ("[3]", "JSON"), ('{"a": 3}', "JSON")]
)
def test_json_is_an_object_or_a_list(content, kind):
    assert other_kind(content) == kind


def test_a_script_has_32_mib_at_most(file, monkeypatch):
    path = file("INT. HALL - DAY\n")
    with path.open("ab") as handle:
        handle.truncate(32 * 2**20 + 1)
    with pytest.raises(SaysoError, match="at most 32 MiB"):
        read_screenplay(path)
    monkeypatch.setattr(read, "LARGEST", 16)
    assert read_screenplay(file("INT. HALL - DAY\n")).elements
    with pytest.raises(SaysoError, match="of at most"):
        read_screenplay(file("INT. HALL - DAY\n\n"))


def test_a_name_that_the_system_refuses_is_told_with_its_reason():
    with pytest.raises(SaysoError, match="cannot be read: File name too long"):
        read_screenplay("x" * 5000)


def test_one_character_in_twenty_may_be_none_that_is_written(file):
    head = "INT. HALL - DAY\n\n"
    assert read_screenplay(file(head + "x" * (38 - len(head)) + "\x01\x02")).elements
    with pytest.raises(SaysoError, match="no text a person can read"):
        read_screenplay(file(head + "x" * (37 - len(head)) + "\x01\x02"))
