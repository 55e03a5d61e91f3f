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
ENTRIES = [entry.split() for entry in re.split(r"[|\n]", ISO_639) if entry]
CODES = {code: entry[0] for entry in ENTRIES for code in entry}
CODES |= {"iw": "he", "in": "id", "ji": "yi", "cmn": "zh", "yue": "yue"}  # old codes, and spoken Chinese
TAG = re.compile(r"([a-z]{2,3})((?:[-_][a-z0-9]{1,8}){0,4})")


def language_of(tag: str) -> tuple[str, tuple[str, ...]] | None:
    """Return a tag's language (two letters, if it has such a code) and its subtags; None if it is no tag."""
    match = TAG.fullmatch(tag.lower())
    if match is None or match[1] not in CODES:
        return None
    return CODES[match[1]], tuple(part for part in re.split("[-_]", match[2]) if part)
