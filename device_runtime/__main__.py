from device_runtime.cli.command import main

raise SystemExit(main())
