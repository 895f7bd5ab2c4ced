"""A process on one database that fills it or measures in it, as its standard input says.

Each line read is JSON: ``{"do": name, "args": {...}}``; each line written is the answer. What is
measured runs in a transaction of its own that is rolled back.
"""

import json
import os
import sys
import time
import traceback


def main(database, *options):
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what Odoo prints is no answer
    open_registry(database, *options)
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


def open_registry(database, *more):
    from odoo.modules.registry import Registry
    from odoo.tools import config

    options = ["-c", os.environ["ODOO_CONFIG"], "-d", database, "--no-http", "--log-level=error"]
    config.parse_config([*options, *more])
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


def switch(database, measures, on):
    return _commit(database, measures.switch, on)


def prepare_race(database, measures):
    return {"orders": _commit(database, measures.prepare_race)}


def wait(_database, _measures):
    return {}


def confirm_at(database, _measures, at, batches):
    """From the moment `at` on confirm each batch of orders as a call from outside does."""
    from odoo.modules.registry import Registry
    from odoo.service.model import execute_cr

    errors = []
    time.sleep(max(0, at - time.time()))
    for batch in batches:
        try:
            with Registry(database).cursor() as cr:
                execute_cr(cr, 2, "sale.order", "action_confirm", [batch], {})
        except Exception as error:  # what the user would see as an error page
            errors.append(f"{type(error).__name__}: {error}".splitlines()[0])
    return {"errors": errors}


def count_released(database, measures, orders, work_off):
    """Count, after the job that judges again what waited for its turn if `work_off`."""
    if work_off:
        _commit(database, measures.work_off)
    return _commit(database, measures.count_released, orders)


def _commit(database, function, *arguments):
    env = environment(database, 2)
    with env.cr:
        return function(env, *arguments) or {}


def measure(database, measures, name, **args):
    """Prepare, then run once: seconds, queries, and how much memory was taken at most (MB)."""
    env = environment(database, 2)
    try:
        work = getattr(measures, name)(env, **args)
        env.flush_all()
        env.invalidate_all()
        if isinstance(work, tuple):
            read_before, work = work
            read_before()
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
    main(*sys.argv[1:])
