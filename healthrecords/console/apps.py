"""Puts the theme's admin site, as our own, in the place of Django's."""

from django.apps import AppConfig


class ThemeConfig(AppConfig):
    """django-unfold, with the console's site as the one admin site."""

    name = "unfold"

    def ready(self) -> None:
        from django.contrib import admin
        from django.contrib.admin import sites

        from healthrecords.console.site import ConsoleSite

        admin.site = sites.site = ConsoleSite()
