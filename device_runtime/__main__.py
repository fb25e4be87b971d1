from device_runtime.cli import main

raise SystemExit(main())
