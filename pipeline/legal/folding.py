"""One spelling for many: widths, brackets, dashes and traditional characters, without moving a character.

Rules are written once, for the folded text; the spans that they find hold in the text as printed,
because every character is replaced by exactly one character.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Only the characters that the rules of this package look for.
_TRADITIONAL = (
    "號号終终執执審审級级專专權权標标註注冊册訴诉訟讼賠赔償偿萬万億亿圓元圆元幣币歐欧約约過过競竞爭争營营業业"
    "積积電电佈布圖图計计種种識识產产國国務务廳厅檢检書书條条規规處处罰罚調调駁驳維维變变請请無无發发"
    "實实設设與与觀观據据護护門门開开傳传東东廣广蘇苏滬沪閩闽魯鲁贛赣瓊琼雲云陝陕寧宁遼辽關关區区縣县"
    "華华認认為为後后統统類类軟软筆笔項项餘余兩两貳贰陸陆參叁對对應应獲获費费價价額额損损經经濟济優优"
    "單单廠厂總总報报長长點点數数濫滥斷断壟垄機机與与網网際际軍军藥药監监協协訂订裝装請请繳缴錢钱"
    "億亿鎊镑島岛鐵铁運运資资訊讯組组織织會会聯联師师張张憲宪釋释佔占僅仅從从決决異异補补屆届質质"
    "糾纠紛纷粵粤結结續续編编貨货銷销銀银屬属歸归稱称辯辩紀纪絕绝額额聯联銳锐題题場场飾饰當当誌志體体製制頒颁佈布責责違违盜盗賣卖買买達达擔担證证據据離离進进還还選选錯错閉闭聽听聞闻聲声採采強强將将給给"
    "庫库動动務务術术倫伦倉仓蘭兰瀋沈陽阳濱滨漢汉鄭郑貴贵雙双圍围縮缩減减漲涨幅幅兌兑換换萊莱鎮镇鄉乡"
)
_WIDE = {chr(code): chr(code - 0xFEE0) for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B))}
_WIDE |= {chr(code): chr(code - 0xFEE0) for code in range(0xFF41, 0xFF5B)}
_FORMS = {
    **dict.fromkeys("（〔［[﹝【｛{〖〘", "("),
    **dict.fromkeys("）〕］]﹞】｝}〗〙", ")"),
    **dict.fromkeys("－–—―‐‑‒−﹣", "-"),
    **dict.fromkeys("～〜∼", "~"),
    **dict.fromkeys("\u3000\xa0\u2002\u2003\u2009\u202f\t", " "),
    "〈": "《",
    "〉": "》",
    "％": "%",
    "﹪": "%",
    "．": ".",
    "：": ":",
    "∶": ":",
    "；": ";",
    "￥": "¥",
    "＄": "$",
    "〇": "零",
    "○": "零",
    "Ｏ": "零",
}
_TABLE = dict(zip(_TRADITIONAL[::2], _TRADITIONAL[1::2], strict=True)) | _WIDE | _FORMS
_FOLDABLE = re.compile("[" + re.escape("".join(key for key, value in _TABLE.items() if key != value)) + "]")

# Expressions that run over whole texts begin with the character that is sought, never with what may or must not stand
# before it, nor with a repetition: only then can a search skip to the candidates.
# １，２００ is one number; 1，200 may be two.
_WIDE_COMMA = re.compile(r"，(?<=[０-９]，)(?=[０-９]{3}(?![０-９]))")


@lru_cache(maxsize=2)
def fold(text: str) -> str:
    """Return `text` in one spelling; character for character, so that indices stay valid."""
    return _FOLDABLE.sub(lambda match: _TABLE[match[0]], _WIDE_COMMA.sub(",", text))


_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z]{3}")
_ENGLISH_WORD = re.compile(r"[a-z][a-z]{3}")


@lru_cache(maxsize=2)
def has_latin(folded: str) -> bool:
    """Say whether a text has a Latin word or acronym of four letters (CNIPA)."""
    return _LATIN_WORD.search(folded) is not None


@lru_cache(maxsize=2)
def has_english(folded: str) -> bool:
    """Say whether a text can hold English at all, so that Chinese texts skip the English rules."""
    return has_latin(folded) and _ENGLISH_WORD.search(folded) is not None
