"""A process on one database that fills it or measures in it, as its standard input says.

Each line read is JSON: ``{"do": name, "args": {...}}``; each line written is the answer. What is
measured runs in a transaction of its own that is rolled back.
"""

import json
import os
import sys
import time
import traceback


def main(database):
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what Odoo prints is no answer
    open_registry(database)
    import measures

    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(sys.modules[__name__], request["do"])(
                database, measures, **request.get("args", {})
            )
        except Exception as error:  # told to who asked; the process goes on
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(answer) + "\n")


def open_registry(database):
    from odoo.modules.registry import Registry
    from odoo.tools import config

    options = ["-c", os.environ["ODOO_CONFIG"], "-d", database, "--no-http", "--log-level=error"]
    config.parse_config(options)
    return Registry(database)


def environment(database, user_id):
    from odoo import api
    from odoo.modules.registry import Registry

    cursor = Registry(database).cursor()
    return api.Environment(cursor, user_id, {})


def fill(database, _measures, what, scale=None):
    import generator

    from odoo import SUPERUSER_ID

    start = time.perf_counter()
    env = environment(database, SUPERUSER_ID)
    with env.cr:
        if what == "contracts":
            generator.Contracts(env).fill()
        else:
            generator.SalesYears(env, generator.SCALES[scale]).fill()
            generator.check(env)
    with environment(database, SUPERUSER_ID).cr as cr:
        cr._cnx.autocommit = True
        cr.execute("VACUUM ANALYZE")
        cr.execute("SELECT pg_database_size(current_database())")
        size = cr.fetchone()[0]
    return {"seconds": time.perf_counter() - start, "size": size}


def measure(database, measures, name):
    """Prepare, then run once: seconds, queries, and how much memory was taken at most (MB)."""
    env = environment(database, 2)
    try:
        work = getattr(measures, name)(env)
        env.flush_all()
        env.invalidate_all()
        before = reset_peak_memory()
        queries = env.cr.sql_log_count
        start = time.perf_counter()
        result = work()
        env.flush_all()
        seconds = time.perf_counter() - start
        return {
            "seconds": seconds,
            "queries": env.cr.sql_log_count - queries,
            "megabytes": peak_memory() - before,
            "result": result,
        }
    finally:
        env.cr.rollback()
        env.cr.close()


def reset_peak_memory():
    """Return the memory in use (MB) and count the peak from now on."""
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
    return peak_memory()


def peak_memory():
    with open("/proc/self/status") as status:
        kilobytes = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


if __name__ == "__main__":
    main(sys.argv[1])
