"""Tells which words of a text are printed on its page, and what is only markup. Knows Markdown and HTML."""

import html
import re

_BLOCKS = "table|thead|tbody|tfoot|tr|td|th|caption|p|div"
_WITHIN_LINE = "b|center|em|i|s|small|span|strong|sub|sup|u"

TAG = rf"(?i:</?(?:{_BLOCKS}|{_WITHIN_LINE}|br)\b[^<>]*>)"
"""The tags of HTML that models write in Markdown; other words in angle brackets are print."""

_PICTURE = re.compile(r"!\[([^\[\]\n]{0,500})\]\([^()\n]{0,500}\)")
_BEFORE_LINE = re.compile(r"^ {0,3}(?:#{1,6} |```\w*$|(?=[^\n]*---)[ |:-]+$)", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<![\w*\\])(\*{1,3})(?=[^\s*])([^*\n]{1,2000})(?<=[^\s*])\1(?![\w*])")
_LINE_END = re.compile(r"</tr>|</p>|</div>|<br\s*/?>", re.IGNORECASE)
_CELL = re.compile(rf"</?(?:{_BLOCKS})\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(TAG)
_FORMULA_EDGE = re.compile(r"\\[()\[\]]")
_ENTITY = re.compile(r"&#?\w{1,32};")


def printed_text(markdown: str) -> str:
    """Return the words that Markdown shows, line by line."""
    text = _BEFORE_LINE.sub("", _PICTURE.sub(r"\1", markdown))
    text = _FORMULA_EDGE.sub("", _EMPHASIS.sub(r"\2", text))
    text = _TAG.sub("", _CELL.sub(" ", _LINE_END.sub("\n", text)))
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
