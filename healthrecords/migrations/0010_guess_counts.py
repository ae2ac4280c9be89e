from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("healthrecords", "0009_roles_for_operations"),
    ]

    operations = [
        migrations.CreateModel(
            name="GuessCount",
            fields=[
                ("key", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("count", models.IntegerField()),
                ("ends_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
