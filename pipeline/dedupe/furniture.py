"""What a page prints around a text: counters, buttons, credits. None of it makes a text another text."""

from __future__ import annotations

import re

_EDGE = r"(?:^|(?<=[\s|｜·()（）\[\]【】]))"
_AFTER = r"(?=$|[\s|｜·()（）\[\]【】])"
_COUNTED = r"(?:阅读|浏览|点击|访问|观看|播放|点赞|在看|赞|收藏|转发|分享|评论|留言)"
_COUNT = r"\d[\d,.]*\s*(?:[万wWkK]\+?|\+)?"
_COUNTER = re.compile(
    _EDGE
    + r"(?:(?:(?:(?:本文|文章|本页|页面)?(?:已有|已被|已|共|总|累计|今日|当前)?(?:文章)?"
    + _COUNTED
    + r"(?:量|率|数|次数|人数|人次)?|人气|热度)(?:\s*[:：]?\s*[\[(（]?\s*"
    + _COUNT
    + r"\s*(?:次|人|条)?\s*[)）\]]?"
    # Before a script has filled it in.
    r"| ?[:：] ?[\[(（]? ?-{0,3} ?(?:次|人|条)? ?[)）\]]?(?= ?$))"
    + f"|{_COUNT}"
    + r"\s*(?:人次|人|次|条)?\s*"
    + _COUNTED
    + r"|您是(?:本[站页文])?第\s*\d[\d,]*\s*(?:位|个)(?:访问者|访客|读者|浏览者)"
    + f"){_AFTER}"
    + r"|^(?:(?:Views?|Hits?)\s*[:：]?\s*\d[\d,]*|\d[\d,]*\s*views?)$)",
    re.MULTILINE | re.IGNORECASE,
)
_AGO = re.compile(
    _EDGE + r"(?:刚刚|昨天|前天|\d{1,2}\s*(?:秒|分钟|小时|天|周|个月)前)" + _AFTER, re.MULTILINE
)
_UNTIL_END = r"[^\n]{0,200}"
_MOMENT = r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?(?:\s*\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?"
_NOISE_LINE = re.compile(
    r"^[\[【(（]*+(?:"
    r"(?:上|下)一(?:篇|条) ?[:：]"
    + _UNTIL_END
    + r"|(?:分享(?:到|至)|字(?:号|体)(?:大小)?) ?[:：]?[^\n，。]{0,40}"
    r"|(?:打印(?:本页|此页|文章)?|关闭(?:窗口|本页)?|返回(?:顶部|列表|首页)?|收藏本页|分享|收藏|赞|在看|点赞|大|中|小|"
    r"[|｜ \[\]【】])++"
    r"|(?:微信)?扫(?:一扫|码)[^\n，。]{0,40}|预览时标签不可点|轻触阅读原文|阅读原文|(?:继续|向上)滑动看下一个|人划线|写留言"
    r"|喜欢此内容的人还喜欢|喜欢作者|\d{1,9} ?人(?:喜欢|赞赏)"
    r"|(?:最后)?(?:更新|修改)(?:时间|日期) ?[:：] ?"
    + _MOMENT
    + r"|(?:当前|现在)时间 ?[:：]"
    + _UNTIL_END
    + r"|今天是[^\n，。]{0,30}"
    r")[\]】)）]*+$",
    re.MULTILINE,
)
# Parameters that sites renew at each request; any other parameter says which file a link leads to.
_RENEWED = re.compile(
    r"[?&;](?:token|access_token|timestamp|time|ts|t|_|signature|sign|sig|nonce|j?sessionid|sid|spm|from|scene|chksm|"
    r"key|pass_ticket|uin|random|rnd|expires|auth_key)=[^&\s<>\"'（）《》，。；、]*",
    re.IGNORECASE,
)
_RUN = re.compile(r"[0-9A-Za-z_+/-]{16,}={0,2}")
_UUID_OR_HEX = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=.*[0-9])(?=.*[a-f])[0-9a-f]{16,}")
_BASE64 = re.compile(r"(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z]).{32,}")

_CREDIT_LINE = re.compile(
    r"^[ \[【(（|*●■◆▲▼]*+(?:"
    r"(?:文章|信息|稿件|内容|图片|本文)?(?:来源|源自|来自|稿源|出处)\s*(?:于|[:：|｜/])"
    r"|(?:发布|发稿|更新|发表|上传|刊登)?(?:时间|日期)\s*[:：]"
    r"|(?:本文)?(?:作者|记者|通讯员|责任编辑|责编|编辑|编校|校对|审核|审校|初审|复审|终审|监制|统筹|文字|文|图|摄影|供稿|"
    r"供图|撰稿|投稿|签发|值班编委|视觉|排版|制图|翻译)\s*[:：|｜/丨]"
    r"|(?:原标题|原题|原文(?:链接|标题|地址|网址)?|链接|标签|关键词|分类|栏目|导语提示|往期(?:推荐|回顾)|推荐阅读|相关(?:阅读|链接|报道)|"
    r"延伸阅读|更多阅读)\s*[:：]?"
    r"|(?:本文|本号|文章|以上内容|以上文章)?(?:转载|转自|转发自|摘自|原载|刊载|首发)(?:于|自|请|须|声明)?"
    r"|(?:版权|免责|特别|重要|本站|平台|转载)?(?:声明|提示|说明)\s*[:：]"
    r"|本文(?:仅|系|由|为|内容|观点|不)|如有侵权|侵权(?:必究|请联系|删除)|未经(?:授权|许可)"
    r"|(?:联系|咨询|投诉|举报|新闻)?(?:电话|热线|传真|邮箱|方式|微信|地址|邮编|邮政编码|网址)\s*[:：]"
    r"|(?:主办|承办|协办|技术支持|主管)(?:单位)?\s*[:：]|版权所有|copyright|©|[^\n]{0,12}(?:icp备|公网安备)"
    r"|(?:请?点击)?(?:查看|阅读)(?:全文|原文)"
    r"|(?:点击|长按|识别|欢迎)[^\n。]{0,12}(?:关注|订阅|二维码|蓝字|名片)|关注我们|关注[^\n。]{0,20}公众号|end\W*$|-+\s*end"
    r")" + _UNTIL_END + "$",
    re.MULTILINE | re.IGNORECASE,
)
_MOMENT_LINE = re.compile(r"^" + _MOMENT + r"[^\n，。；]{0,40}$", re.MULTILINE)
_DATELINE = re.compile(
    r"^(?:本报讯|(?:本报|本网|新华社|中新社|中新网|人民网|法治网|央视网|[一-鿿]{2,8}(?:网|社|报))"
    r"[一-鿿]{0,6}(?:\d{1,2}月)?\d{1,2}日(?:电|讯)|[一-鿿]{2,8}(?:网|报|社)(?:讯|消息))"
    r"\s*(?:[(（][^)）\n]{0,40}[)）]|(?:记者|通讯员)\s*[一-鿿 ]{2,12}?(?=\s|$))?[:：]?",
    re.MULTILINE,
)
_TOP_LINES = 4

# What a page's template sets above and below a text, and a list of other articles that ends it.
_FRAME_LINE = re.compile(
    r"^[\[【(（|]*((?:文章|信息|稿件|内容)?来源|稿源|出处|(?:发布|发稿|更新|发表|上传)(?:时间|日期)|索引号|信息分类|发布机构"
    r"|作者|记者|责任编辑|责编|编辑|校对|审核|监制|文字|摄影|浏览次数|点击数|访问量|当前位置|您(?:现在|当前)的位置)"
    r"\s*[:：][^\n。]{0,60}$"
)
_FRAME_LINES = 4
_OTHERS = re.compile(
    r"^[\[【(（|■◆▲▼]*(?:相关(?:阅读|链接|报道|新闻|文章|推荐|稿件)|(?:推荐|延伸|更多|扩展)阅读|往期(?:推荐|回顾|精选|精彩)"
    r"|(?:热门|精彩|最新)(?:推荐|文章|新闻|资讯|动态)|猜你喜欢)\s*[:：]?[\]】)）]*$"
)


def strip_noise(text: str) -> str:
    """The text without counters, buttons, neighbours' links, relative times and one-time tokens.

    Counters go only where they stand alone (at a line's edge, between separators): "阅读量达1234次" inside a
    sentence is content.
    """
    lines = (" ".join(line.split()) for line in text.splitlines())
    text = _RENEWED.sub("", "\n".join(line for line in lines if line))
    for pattern in (_COUNTER, _AGO, _NOISE_LINE):
        text = pattern.sub("", text)
    return _RUN.sub(_without_token, text)


def split_frame(text: str) -> tuple[str, dict[str, str]]:
    """The text without noise, the lines that a template sets around it, and a closing list of other articles; and
    those lines by their label (来源, 责任编辑 …).

    Only the first and the last few lines are taken for a frame, and a list of others only to the text's end.
    """
    lines = strip_noise(text).split("\n")
    lines = [line for line in lines if line.strip()]
    heading = next((at for at, line in enumerate(lines) if at and _OTHERS.match(line)), None)
    if heading is not None and not any("。" in line for line in lines[heading:]):
        del lines[heading:]
    frame: dict[str, str] = {}
    kept = []
    for at, line in enumerate(lines):
        edge = at < _FRAME_LINES or at >= len(lines) - _FRAME_LINES
        if edge and (found := _FRAME_LINE.match(line)):
            frame[found[1]] = frame.get(found[1], "") + line
        else:
            kept.append(line)
    return "\n".join(kept), frame


def strip_credits(text: str) -> str:
    """The text also without its credits: source, time, staff, contact and rights lines, and the dateline.

    A bare date counts as a credit only within the first lines; at the end it is the date of the document.
    """
    lines = _CREDIT_LINE.sub("", strip_noise(text)).split("\n")
    top = min(_TOP_LINES, len(lines) - 1)
    lines[:top] = [_MOMENT_LINE.sub("", line) for line in lines[:top]]
    return _DATELINE.sub("", "\n".join(lines))


def _without_token(run: re.Match[str]) -> str:
    return "" if _UUID_OR_HEX.fullmatch(run[0]) or _BASE64.fullmatch(run[0]) else run[0]
