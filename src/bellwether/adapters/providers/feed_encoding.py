"""The characters of a feed document, whatever it says of its own encoding, and no expanding entities."""

import codecs
import re

LARGEST_EXPANSION = 100_000
"""Characters all references to entities a document declares itself may add up to."""

LONGEST_TAG, MOST_ATTRIBUTES = 10_000, 500
"""A tag of more characters may have so many attributes: the time to read them grows with their square."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_ENTITY = re.compile(r"""<!ENTITY\s+(%\s+)?([\w.:-]+)\s+(SYSTEM|PUBLIC|"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_TAG = re.compile(rf"<[A-Za-z][^<>]{{{LONGEST_TAG},}}")
_REFERENCE = re.compile(r"&(?!#)[\w.:-]+;")
# What real feeds are written in. Stateful and EBCDIC encodings are not among them: they hide markup.
_USUAL = re.compile(
    r"utf-8|iso8859-\d+|cp125\d|cp874|koi8-[ru]|gbk|gb2312|gb18030|big5|euc_jp|euc_kr|shift_jis|cp932"
)


class HostileDocument(ValueError):
    """The document would take time or space without bound to read."""


def document_text(content: bytes) -> str:
    """The document without its XML declaration. Never fails: bytes that fit no encoding are replaced.

    A byte order mark wins; then the declared encoding, if the bytes are valid in it; then UTF-8; then
    Windows-1252, which is what most feeds that are wrong about it are written in.
    """
    for bom, name in _BOMS:
        if content.startswith(bom):
            return _without_declaration(content[len(bom) :].decode(name, errors="replace"))
    if content[:2] in {b"<\x00", b"\x00<"}:
        name = "utf-16-le" if content[:1] == b"<" else "utf-16-be"
        return _without_declaration(content.decode(name, errors="replace"))
    for name in (_declared(content), "utf-8"):
        try:
            return _without_declaration(content.decode(name))
        except UnicodeDecodeError:
            continue
    return _without_declaration(content.decode("cp1252", errors="replace"))


def refuse_expansion(text: str) -> None:
    """Raises `HostileDocument` for a document whose own entities nest or add up to too much."""
    if "<!ENTITY" not in text and "<!entity" not in text.lower():
        return
    expanded = 0
    for parameter, name, _, double, single in _ENTITY.findall(text):
        value = double or single
        if parameter or _REFERENCE.search(value) or "%" in value:
            raise HostileDocument("the document declares entities made of other entities")
        expanded += len(value) * text.count(f"&{name};")
    if expanded > LARGEST_EXPANSION:
        raise HostileDocument("the document's entities expand to too much")


def refuse_crowds(text: str) -> None:
    """Raises `HostileDocument` for a document with a tag of very many attributes."""
    if any(tag.group().count("=") > MOST_ATTRIBUTES for tag in _TAG.finditer(text)):
        raise HostileDocument("the document has a tag with too many attributes")


def _declared(content: bytes) -> str:
    found = _DECLARED.match(content[:400])
    if found is None:
        return "utf-8"
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except (LookupError, UnicodeDecodeError):
        return "utf-8"
    # browsers and most writers of feeds mean Windows-1252 when they say Latin-1
    name = "cp1252" if name == "iso8859-1" else name
    return name if _USUAL.fullmatch(name) else "utf-8"


def _without_declaration(text: str) -> str:
    return _XML_DECLARATION.sub("", text.lstrip("\ufeff"), count=1).replace("\x00", "").lstrip()
