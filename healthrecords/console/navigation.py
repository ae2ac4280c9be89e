"""The way around: the screens that are open to a person, for the sidebar and the home page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from healthrecords.access import policy
from healthrecords.console.minutes import asked_of


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of CONSOLE_SCREENS with those screens that the policy opens to this person."""
    found: list[dict[str, Any]] = [
        {"title": title, "items": _open(request, screens)} for title, screens in settings.CONSOLE_SCREENS
    ]
    _mark(request, [item for group in found for item in group["items"]])
    return [group for group in found if group["items"]]


def _open(request: HttpRequest, screens: list[dict[str, str]]) -> list[dict[str, Any]]:
    permitted = [screen for screen in screens if policy.permit(asked_of(request, "search", screen["type"])).permitted]
    return [_item(request, screen) for screen in permitted]


def _item(request: HttpRequest, screen: dict[str, str]) -> dict[str, Any]:
    link = reverse(f"admin:{screen['name']}_{screen.get('screen', 'changelist')}")
    return {**screen, "link": link, "active": False}


def _mark(request: HttpRequest, items: list[dict[str, Any]]) -> None:
    """Mark the screen that the page belongs to: the one whose address fits best."""
    around = [item for item in items if request.path.startswith(item["link"])]
    if around:
        max(around, key=lambda item: len(item["link"]))["active"] = True
