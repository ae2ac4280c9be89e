"""The sealed text of searches may be put under another key by the table's owner."""

from django.db import migrations

from healthrecords.appendonly import Resealable


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial")]

    operations = [Resealable("accessevent", "query")]
