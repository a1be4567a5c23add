"""The only place that knows everything: settings, addresses, processes, the `postroom` command. Nobody imports it."""
