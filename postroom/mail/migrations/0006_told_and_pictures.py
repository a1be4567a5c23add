import django.db.models.deletion
from django.db import migrations, models

import postroom.lib.clock


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0005_composing"),
        ("workspaces", "0001_initial"),
    ]

    operations = [
        migrations.AddField(model_name="messagebody", name="told", field=models.JSONField(null=True)),
        migrations.CreateModel(
            name="PicturesFrom",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(max_length=320)),
                ("at", models.DateTimeField(default=postroom.lib.clock.now)),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="workspaces.membership",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("member", "address"), name="pictures_from_once")],
            },
        ),
    ]
