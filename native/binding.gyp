# Builds build/Release/stillframe.node. One binary serves Node 20, 22 and 24: it uses Node-API
# version 8 only. `z,nodelete` keeps the code of the signal handler mapped after the last
# environment (main thread or worker) that loaded it is gone.
{
  "targets": [
    {
      "target_name": "stillframe",
      "sources": [
        "addon.cpp",
        "addon_reactor.cpp",
        "snapshot/checksum.cpp",
        "reactor/connection_table.cpp",
        "reactor/listener.cpp",
        "reactor/output_queue.cpp",
        "reactor/reactor.cpp",
        "reactor/reactor_accept.cpp",
        "reactor/reactor_send.cpp",
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")", "."],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"],
      "cflags": ["-Wall", "-Wextra"],
      "cflags!": ["-O3", "-Wno-unused-parameter"],
      "cflags_cc!": ["-std=gnu++20", "-std=gnu++17", "-O3"],
      "cflags_cc": ["-std=c++17", "-O2", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"],
      "ldflags": ["-Wl,-z,nodelete"],
    },
  ],
}
