from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("timeline", "0004_who_sees_what"),
    ]

    operations = [
        migrations.AddField(
            model_name="snooze",
            name="writes",
            field=models.CharField(blank=True, default="", max_length=320),
            preserve_default=False,
        ),
    ]
