"""Language tags as file names carry them: ``en``, ``eng``, ``en-US``, ``pt_BR``, ``zh-Hans``."""

from __future__ import annotations

import re

# ISO 639-1 with its ISO 639-2 codes: two letters, then three, twice where bibliographers write another.
ISO_639 = """
aa aar|ab abk|ae ave|af afr|ak aka|am amh|an arg|ar ara|as asm|av ava|ay aym|az aze|ba bak|be bel|bg bul
bi bis|bm bam|bn ben|bo bod tib|br bre|bs bos|ca cat|ce che|ch cha|co cos|cr cre|cs ces cze|cu chu|cv chv
cy cym wel|da dan|de deu ger|dv div|dz dzo|ee ewe|el ell gre|en eng|eo epo|es spa|et est|eu eus baq
fa fas per|ff ful|fi fin|fj fij|fo fao|fr fra fre|fy fry|ga gle|gd gla|gl glg|gn grn|gu guj|gv glv|ha hau
he heb|hi hin|ho hmo|hr hrv|ht hat|hu hun|hy hye arm|hz her|ia ina|id ind|ie ile|ig ibo|ii iii|ik ipk|io ido
is isl ice|it ita|iu iku|ja jpn|jv jav|ka kat geo|kg kon|ki kik|kj kua|kk kaz|kl kal|km khm|kn kan|ko kor
kr kau|ks kas|ku kur|kv kom|kw cor|ky kir|la lat|lb ltz|lg lug|li lim|ln lin|lo lao|lt lit|lu lub|lv lav
mg mlg|mh mah|mi mri mao|mk mkd mac|ml mal|mn mon|mr mar|ms msa may|mt mlt|my mya bur|na nau|nb nob|nd nde
ne nep|ng ndo|nl nld dut|nn nno|no nor|nr nbl|nv nav|ny nya|oc oci|oj oji|om orm|or ori|os oss|pa pan|pi pli
pl pol|ps pus|pt por|qu que|rm roh|rn run|ro ron rum|ru rus|rw kin|sa san|sc srd|sd snd|se sme|sg sag|si sin
sk slk slo|sl slv|sm smo|sn sna|so som|sq sqi alb|sr srp|ss ssw|st sot|su sun|sv swe|sw swa|ta tam|te tel
tg tgk|th tha|ti tir|tk tuk|tl tgl fil|tn tsn|to ton|tr tur|ts tso|tt tat|tw twi|ty tah|ug uig|uk ukr|ur urd
uz uzb|ve ven|vi vie|vo vol|wa wln|wo wol|xh xho|yi yid|yo yor|za zha|zh zho chi|zu zul
"""
# Languages with a code of three letters only (ISO 639-2, and those of YouTube from 639-3).
THREE_LETTERS = """
ace ach ada ady afh agq ain ale alt ang anp apc arc arn arp ary arz asa asm ast awa bal bas bbc bej bem ber
bez bho bik bin bla brx bua bug byn cad car ceb cgg chb chg chk chm chn cho chp chr chy ckb cnr cop crh crs
csb dak dar del dgr din dje doi dsb dua dyo dyu dzo ebu efi eka ewo fat fij fil fon frp frr fur gaa gay gba
gez gil gom gon gor grb gsw guz haw hil hmn hne hsb hup iba ilo inh jbo jmc jrb kaa kab kac kam kbd kde kea
kha khq kln kmb kok kpe krc kri krl kru ksb ksf ksh kum kut lad lag lah lam lez lmo lol loz lua lui lun luo
lus luy mad mag mai mak mas mdf mer mfe mgh mic min mni mnc moh mos mua mul mus mwl myv nan nap naq nds new
nia niu nmg nnh nog nqo nso nus nwc nym nyn nyo nzi osa pag pam pap pau pcm pms pon quz raj rap rar rof rup
rwk sad sah saq sas sat sbp scn sco seh ses shi shn sid sma smj smn sms snk srn srr suk sus swc syr szl tem
teo ter tet tig tiv tkl tlh tmh tpi tsi tum tvl twq tyv tzm udm und vai vec vot vun wae wal war was wuu xog
yap yav zap zen zgh zun zza
"""
ENTRIES = [entry.split() for entry in re.split(r"[|\n]", ISO_639) if entry]
CODES = {code: entry[0] for entry in ENTRIES for code in entry}
CODES |= {code: code for code in THREE_LETTERS.split()}
CODES |= {"iw": "he", "in": "id", "ji": "yi", "cmn": "zh", "yue": "yue"}  # old codes, and spoken Chinese
# As people spell languages out, in English and in the language itself.
SPELLED = """
en english|de german deutsch|fr french français francais|es spanish español espanol castellano latino
pt portuguese português portugues brazilian brasileiro|it italian italiano|nl dutch nederlands
pl polish polski|ru russian русский|uk ukrainian українська
cs czech čeština cestina|sk slovak slovenčina slovencina
sl slovenian slovene slovenščina|hu hungarian magyar|ro romanian română romana|bg bulgarian български
el greek ελληνικά|tr turkish türkçe turkce|ar arabic العربية|he hebrew עברית|fa persian farsi فارسی
hi hindi हिन्दी|bn bengali bangla|ta tamil|te telugu|ml malayalam|kn kannada|ur urdu|th thai ไทย
vi vietnamese|id indonesian|ms malay|ja japanese 日本語|ko korean 한국어
zh chinese mandarin cantonese 中文 简体中文 繁體中文|sv swedish svenska|da danish dansk|nb norwegian norsk
fi finnish suomi|is icelandic|et estonian eesti|lv latvian|lt lithuanian|hr croatian hrvatski
sr serbian srpski српски|bs bosnian|mk macedonian|sq albanian|ca catalan català catala|gl galician galego
eu basque euskara|ka georgian|hy armenian|az azerbaijani|kk kazakh|sw swahili|fil filipino tagalog|cy welsh
ga irish|af afrikaans|la latin|eo esperanto|haw hawaiian
"""
NAMES = {
    name: words[0] for row in re.split(r"[|\n]", SPELLED) if (words := row.split()) for name in words[1:]
}
TAG = re.compile(r"([a-z]{2,3})((?:[-_][a-z0-9]{1,8}){0,4})")
TRACK = re.compile(r"(.+)[-_][\w-]{11}")  # yt-dlp's code of a named track: language and 11 characters


def language_of(tag: str) -> tuple[str, tuple[str, ...]] | None:
    """Return a tag's language (two letters, if it has such a code) and its subtags; None if it is no tag."""
    match = TAG.fullmatch(tag.lower())
    if match is None or match[1] not in CODES:
        return None
    return CODES[match[1]], tuple(part for part in re.split("[-_]", match[2]) if part)


def same_language(one: str, other: str) -> bool:
    """Tell whether two tags, such as ``en-GB`` and ``eng``, are of one language."""
    return _code(one) == _code(other)


def _code(tag: str) -> str:
    known = language_of(tag.strip())
    return known[0] if known else re.split("[-_]", tag.strip().lower(), maxsplit=1)[0]


def named_language(name: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the language that a part of a file's name says: a tag, a name, or yt-dlp's code of a track.

    ``en-ehkg1hFWq8A`` is a named English track; ``nso-en-ehkg1hFWq8A`` its translation.
    """
    track = TRACK.fullmatch(name)
    tagged = language_of(track[1]) if track else None
    if tagged:
        return tagged
    spelled = NAMES.get(name.lower())
    return (spelled, ()) if spelled else language_of(name)
