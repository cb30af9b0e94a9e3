"""Detectors of credentials, each keyed to a known form: named when they find one, the text itself never given out."""

import re

_DETECTORS = {
    "private_key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "aws_access_key": r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b",
    "github_token": r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{36,})",
    "gitlab_token": r"\bglpat-[0-9A-Za-z_-]{20,}",
    "slack_token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
    "google_key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "stripe_key": r"\b[rs]k_live_[0-9A-Za-z]{16,}",
    "package_index_token": r"\bpypi-[0-9A-Za-z_-]{50,}|\bnpm_[0-9A-Za-z]{36}\b",
    "json_web_token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",
    "password_in_address": r"\b[a-z][a-z0-9+.-]*://[^\s:/@'\"{}<>]{1,64}:[^\s:/@'\"{}<>$%]{3,64}@",
    "keyword": r"(?i)(?:passw(?:or)?d|passphrase|secret|api_?key|access_?key|private_?key|auth_?token)"
    r"\w{0,20}['\"]?\]?\s{0,4}(?:=|:|=>|:=)\s{0,4}[bru]?(['\"])(?=[^'\"]{0,80}[0-9])[^\s'\"{}<>%$]{8,80}\1",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _DETECTORS.items()}


def detect_secret(text: str) -> str | None:
    """The name of the first detector that finds a credential in the text; None if none does.

    The keyword detector asks for a digit, so plain words such as `password = "password"` pass.
    """
    return next((name for name, pattern in _COMPILED.items() if pattern.search(text)), None)
