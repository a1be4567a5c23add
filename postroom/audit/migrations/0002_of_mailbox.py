from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_access_log")]

    operations = [
        migrations.RemoveIndex(model_name="access", name="access_mailbox"),
        migrations.RenameField(model_name="access", old_name="mailbox_id", new_name="of_mailbox"),
        migrations.AddIndex(
            model_name="access",
            index=models.Index(fields=["workspace", "of_mailbox", "-id"], name="access_mailbox"),
        ),
    ]
