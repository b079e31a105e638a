"""Recognizing programs by the header `User-Agent`.

Every function takes an agent from `normalized`, which is short and in lower case, so that long input cannot make them
slow. An agent is only a claim: a program can name any other, and mail scanners often name an old browser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawlerdetect import CrawlerDetect

AGENT_LENGTH = 512  # agents of real browsers are shorter than 400 characters


def normalized(user_agent: str | None) -> str:
    """The first characters of an agent in lower case, or "" if none was sent."""
    return (user_agent or "")[:AGENT_LENGTH].strip().lower()


class Programs:
    """Maps parts of agents, in lower case, to the names of programs. A ^ means the beginning of the agent.

    They are plain texts and not regular expressions, because searching for 150 plain texts takes only microseconds,
    whatever the agent.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self._starts = [(piece[1:], name) for piece, name in names.items() if piece.startswith("^")]
        self._parts = [(piece, name) for piece, name in names.items() if not piece.startswith("^")]

    def name_of(self, agent: str) -> str | None:
        """The name of the first program whose part is in the agent."""
        for piece, name in self._starts:
            if agent.startswith(piece):
                return name
        for piece, name in self._parts:
            if piece in agent:
                return name
        return None


# No agent with the name of Mimecast, Proofpoint or Trend Micro is known, so their entries may never match.
SCANNERS = Programs(
    {
        "^fastmailua": "Fastmail",
        "^twinwavescanner": "TwinWave",
        "^valimail": "Valimail",
        "; obot/": "IBM X-Force",
        "barracuda": "Barracuda",
        "cloudflareradarurlscanner": "Cloudflare",
        "developers.cloudflare.com/security-center": "Cloudflare",
        "google-safety": "Google Safe Browsing",
        "googleimageproxy": "Gmail",
        "huaweisymantec": "Huawei Symantec",
        "huaweiwebcatbot": "Huawei",
        "kaspersky": "Kaspersky",
        "mail.ru_bot": "Mail.ru",
        "mail.ukr.net proxy": "ukr.net",
        "messagelabs": "Symantec",
        "mimecast": "Mimecast",
        "norton-safeweb": "Norton Safe Web",
        "page_verifier": "McAfee",
        "phishbucket": "PhishBucket",
        "proofpoint": "Proofpoint",
        "ramblermail": "Rambler",
        "safednsbot": "SafeDNS",
        "safelinks": "Microsoft Safe Links",
        "seznamemailproxy": "Seznam",
        "spamexperts": "SpamExperts",
        "trend micro": "Trend Micro",
        "trendmicro": "Trend Micro",
        "urldefense": "Proofpoint",
        "virustotal": "VirusTotal",
        "yahoomailproxy": "Yahoo Mail",
        "yandexantivirus": "Yandex",
        # After the image proxies with a known name.
        "imageproxy": "image proxy",
    }
)

PREVIEWS = Programs(
    {
        # At the beginning only, because the built-in browsers of messengers also contain their names.
        "^bluesky": "Bluesky",
        "^notion/": "Notion",
        "^viber": "Viber",
        "^whatsapp": "WhatsApp",
        # Before the entries that follow, because it contains three of their names.
        "facebookexternalhit/1.1 facebot twitterbot/1.0": "Apple Messages",
        "applebot": "Apple",
        "bingpreview": "Bing",
        "bitrix link preview": "Bitrix24",
        "discordbot": "Discord",
        "embedly": "Embedly",
        "existence discovery": "Microsoft Office",
        "facebookexternalhit": "Facebook",
        "facebot": "Facebook",
        "google web preview": "Google",
        "google-read-aloud": "Google",
        "iframely": "Iframely",
        "kakaotalk-scrap": "KakaoTalk",
        "linkedinbot": "LinkedIn",
        "mastodon": "Mastodon",
        "mattermost-bot": "Mattermost",
        "meta-externalfetcher": "Meta",
        "microsoftpreview": "Microsoft",
        "pinterestbot": "Pinterest",
        "privacy preserving prefetch proxy": "Chrome",
        "protocol discovery": "Microsoft Office",
        "redditbot": "Reddit",
        "skypeuripreview": "Microsoft Teams",
        "slack-imgproxy": "Slack",
        "slackbot": "Slack",
        "snap url preview": "Snapchat",
        "telegrambot": "Telegram",
        "twitterbot": "X",
        "vkshare": "VK",
        "yahoo link preview": "Yahoo Mail",
        # After the previews with a known name.
        "link preview": "unnamed",
        "linkpreview": "unnamed",
    }
)

TOOLS = Programs(
    {
        "^apache-httpclient": "Apache HttpClient",
        "^aws security scanner": "AWS Security Scanner",
        "^axios": "axios",
        "^better uptime": "Better Uptime",
        "^check_http": "Nagios",
        "^curl": "curl",
        "^dart": "Dart",
        "^emailwolf": "EmailWolf",
        "^expanse": "Palo Alto Expanse",
        "^faraday": "Faraday",
        "^go-http-client": "Go",
        "^got (": "got",
        "^got/": "got",
        "^guzzlehttp": "Guzzle",
        "^httpie": "HTTPie",
        "^java/": "Java",
        "^jetty": "Jetty",
        "^libcurl": "curl",
        "^lua-resty-http": "lua-resty-http",
        "^node-fetch": "node-fetch",
        "^okhttp": "OkHttp",
        "^php": "PHP",
        "^postmanruntime": "Postman",
        "^prometheus": "Prometheus",
        "^python": "Python",
        "^reqwest": "reqwest",
        "^ruby": "Ruby",
        "^site24x7": "Site24x7",
        "^undici": "undici",
        "^wget": "Wget",
        "^zabbix": "Zabbix",
        "censysinspect": "Censys",
        "chrome-lighthouse": "Lighthouse",
        "datadogsynthetics": "Datadog",
        "detectify": "Detectify",
        "headlesschrome": "headless Chrome",
        "libwww-perl": "Perl",
        "newrelicsynthetics": "New Relic",
        "phantomjs": "PhantomJS",
        "pingdom": "Pingdom",
        "playwright": "Playwright",
        "powershell": "PowerShell",
        "puppeteer": "Puppeteer",
        "securityscanner": "SecurityScanner",
        "selenium": "Selenium",
        "statuscake": "StatusCake",
        "uptimerobot": "UptimeRobot",
        "winhttp": "WinHTTP",
        "zgrab": "zgrab",
        # After the monitors with a known name.
        "uptime": "uptime monitor",
    }
)

# Mail programs, Office and the HTTP clients of operating systems. They send the same agent whether a person clicked or
# the program itself followed the link.
MAIL_PROGRAMS = Programs(
    {
        "^airmail": "Airmail",
        "^android-gmail": "Gmail",
        "^dalvik/": "Android",
        "^emclient": "eM Client",
        "^evolution": "Evolution",
        "^macoutlook": "Outlook",
        "^microsoft office/": "Microsoft Office",
        "^outlook-express": "Outlook Express",
        "^outlook-ios/": "Outlook",
        "^superhuman": "Superhuman",
        "^the bat!": "The Bat!",
        "^yahoomobilemail": "Yahoo Mail",
        "cfnetwork": "Apple",
        "microsoft outlook": "Outlook",
        "ms-office": "Microsoft Office",
    }
)

# Programs of people that the package crawlerdetect takes for crawlers.
_PEOPLES_PROGRAMS = (
    "[fban/",
    "[linkedinapp]",
    "instagram",
    "metaiab facebook",
    "outlook-ios-android",
    "slack_ssb",
    "whatsapp",
)

_CRAWLER = re.compile(r"(?:bot|crawler|spider|scraper|archiver|slurp|nutch|heritrix)\b|\+ ?http")
# The name of a phone or tablet, up to the end of its field. It must be removed, because some are named "B BOT" and
# "CUBOT". A program may have its name in this field, too, but with a slash before the version.
_DEVICE = re.compile(r"(android [\d.]{1,9};(?: [a-z]{2}[-_][a-z]{2};)?)[^;()/]*?(?=[;)]| build/)")

_ENGINE = r"applewebkit/[\d.]+ \(khtml, like gecko\)"
# Chrome, Edge and Opera only. Other programs with Chromium add their names, and may use an old version for years.
_DESKTOP_CHROME = re.compile(
    rf"mozilla/5\.0 \((?:windows nt|macintosh|x11)[^()]*\) {_ENGINE} chrome/(\d{{1,4}})[\d.]*"
    r" safari/[\d.]+(?: (?:edge|edg|opr)/[\d.]+)?"
)
_CHROMIUM = re.compile(r"chrom(?:e|ium)/(\d{1,4})")
_OLD_EXPLORER = re.compile(r"msie (?:\d|10)\.")
# Agents that lack the details of a browser. Apple Mail sends the second form when it loads images for its readers.
_TOO_LITTLE = re.compile(rf"mozilla/\d\.\d(?: \((?:macintosh|iphone|ipad)[^()]*\) {_ENGINE})?")


def without_device(agent: str) -> str:
    """The agent without the name of the phone or tablet."""
    return _DEVICE.sub(r"\1", agent)


def calls_itself_crawler(agent: str) -> bool:
    """Whether the agent contains a word such as "bot", or a plus sign and the address of a page that explains it."""
    return bool(_CRAWLER.search(without_device(agent)))


def is_of_mail_program(agent: str) -> bool:
    return bool(MAIL_PROGRAMS.name_of(agent) or _TOO_LITTLE.fullmatch(agent))


def is_of_browser(agent: str) -> bool:
    """Whether the agent has the form that all browsers use."""
    return "mozilla/" in agent or "opera/" in agent


def desktop_chrome_version(agent: str) -> int | None:
    """The main version of Chrome, Edge or Opera on a desktop; None for web views and other programs with Chromium."""
    match = _DESKTOP_CHROME.fullmatch(agent)
    return int(match[1]) if match else None


def chromium_version(agent: str) -> int | None:
    """The main version of Chromium in any program that is built on it."""
    match = _CHROMIUM.search(agent)
    return int(match[1]) if match else None


def is_old_explorer(agent: str) -> bool:
    """Whether it is Internet Explorer up to 10. Version 11 may claim to be 7 (compatibility view), but with its own
    engine."""
    return bool(_OLD_EXPLORER.search(agent)) and "trident/7" not in agent


def is_listed_crawler(agent: str) -> bool:
    """Whether the package crawlerdetect lists it as a crawler, and it is not one of `_PEOPLES_PROGRAMS`.

    False if the package is not installed.
    """
    library = _crawlerdetect()
    if library is None or any(piece in agent for piece in _PEOPLES_PROGRAMS):
        return False
    words = _LONG_WORD.sub(r"\g<0> ", without_device(agent)[:_LIBRARY_LENGTH])
    return bool(library.is_crawler(words))


# A limit, because the package tries 1,400 patterns at each character.
_LIBRARY_LENGTH = 256
_LONG_WORD = re.compile(r"[a-z0-9_-]{32}")


@cache
def _crawlerdetect() -> CrawlerDetect | None:
    try:
        from crawlerdetect import CrawlerDetect
    except ImportError:
        return None
    return CrawlerDetect()
