"""Which stylesheets and scripts every page loads, in order.

Plain lists instead of `@import` and a bundle: the browser fetches them side by side, and each file keeps its own
cache life. `scripts` of a single screen go into the `scripts` block of `ui/base.html`.
"""

import json

STYLES: tuple[str, ...] = (
    "ui/css/reset.css",  # declares the layer order, so it comes first
    "ui/css/tokens.css",
    "ui/css/base.css",
    "ui/css/layout.css",
    "ui/css/components/actions.css",
    "ui/css/components/forms.css",
    "ui/css/components/marks.css",
    "ui/css/components/surfaces.css",
    "ui/css/components/rail.css",
    "ui/css/components/overlays.css",
    "ui/css/components/mail.css",
    "ui/css/components/editor.css",
    "ui/css/screens.css",
)

# A classic script, run before the first paint: remembered theme and pane sizes, so that nothing jumps.
EARLY_SCRIPT = "ui/js/early.js"

HTMX = "django_htmx/htmx-2.min.js"

# The strict Content-Security-Policy allows neither inline styles nor eval. No snapshots of mail are left in the
# browser's session storage: going back fetches the page again.
HTMX_CONFIG = json.dumps(
    {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "scrollBehavior": "auto",
        "defaultSettleDelay": 0,
    }
)

# One behaviour per file, each configured by data attributes and independent of the others.
BEHAVIOURS: tuple[str, ...] = (
    "ui/js/htmx-setup.js",
    "ui/js/morph.js",
    "ui/js/keys.js",
    "ui/js/list.js",
    "ui/js/palette.js",
    "ui/js/dialog.js",
    "ui/js/drawer.js",
    "ui/js/menu.js",
    "ui/js/focus.js",
    "ui/js/toast.js",
    "ui/js/live.js",
    "ui/js/notify.js",
    "ui/js/time.js",
    "ui/js/theme.js",
    "ui/js/panes.js",
    "ui/js/guard.js",
    "ui/js/autosize.js",
    "ui/js/tokens.js",
    "ui/js/editor.js",
    "ui/js/attachments.js",
    "ui/js/frame.js",
    "ui/js/copy.js",
)
