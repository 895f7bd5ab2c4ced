import json
import logging
import re

import psycopg2
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, ValidationError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, format_date, formatLang
from odoo.tools.json import json_default
from odoo.tools.safe_eval import safe_eval

_logger = logging.getLogger(__name__)

# These end the request so that Odoo runs it again; a broken queue is none of them.
RETRIED = (
    *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY,
    psycopg2.errors.ReadOnlySqlTransaction,
    ConcurrencyError,
)
ORDER_PATTERN = re.compile(r"^\s*(?P<field>\w+)(\s+(?P<direction>asc|desc))?\s*$", re.IGNORECASE)


class SaleAdminQueue(models.Model):
    """A list of exceptions that somebody has to work off: records of one model in one condition.

    Queues are data: a capability or a bridge adds its own by XML and the workbench shows them.
    """

    _name = "sale.admin.queue"
    _description = "Work Queue"
    _order = "group_id, sequence, id"

    # === FIELDS === #
    name = fields.Char(required=True, translate=True)
    description = fields.Char(
        translate=True, help="What is to be done with the records of this queue, in one sentence."
    )
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    group_id = fields.Many2one(
        "sale.admin.queue.group", required=True, index=True, ondelete="restrict"
    )
    model_id = fields.Many2one(
        "ir.model", required=True, ondelete="cascade", domain=[("transient", "=", False)]
    )
    model = fields.Char(related="model_id.model", string="Model Name", store=True)
    domain = fields.Text(
        string="Filter",
        required=True,
        default="[]",
        help="Which records wait. May use uid, company_id, company_ids, today (the company's "
        "date), relativedelta, and Odoo's own words for dates such as 'today +7d'.",
    )
    action_id = fields.Many2one(
        "ir.actions.act_window",
        string="List",
        ondelete="set null",
        help="The list to open, narrowed to the records that wait. Empty: the model's own list.",
    )
    color = fields.Selection(
        [
            ("danger", "Red: late or wrong"),
            ("warning", "Orange: soon late"),
            ("info", "Blue: routine"),
        ],
        required=True,
        default="info",
    )
    icon = fields.Char(default="fa-inbox", help="Name of a Font Awesome icon, such as fa-clock-o.")
    order_oldest = fields.Char(
        string="Waiting Since",
        help="Technical name of the stored date that tells the age of a record.",
    )
    order_worst = fields.Char(
        string="Worst First",
        help="Technical name of the stored field that tells the worst record, with desc when the "
        "largest value is the worst: amount_total desc. Money is compared in one currency.",
    )
    group_ids = fields.Many2many(
        "res.groups",
        string="Seen by",
        help="Empty: everybody who may read the records.",
    )
    is_shipped = fields.Boolean(
        compute="_compute_is_shipped",
        help="Whether an update of an app brings its definition back.",
    )

    # === COMPUTE METHODS === #
    def _compute_is_shipped(self):
        shipped = (
            self.env["ir.model.data"]
            .sudo()
            .search_fetch(
                [
                    ("model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("module", "not in", ("__export__", "__import__", "__custom__")),
                    ("noupdate", "=", False),
                ],
                ["res_id"],
            )
        )
        shipped_ids = set(shipped.mapped("res_id"))
        for queue in self:
            queue.is_shipped = queue._origin.id in shipped_ids

    # === CONSTRAINT METHODS === #
    @api.constrains("model_id", "domain", "action_id", "order_oldest", "order_worst")
    def _check_definition(self):
        for queue in self:
            queue._check_action()
            queue._check_orders()
            queue._check_domain()

    def _check_action(self):
        if self.action_id and self.action_id.res_model != self.model:
            raise ValidationError(
                self.env._(
                    "The list %(action)s of the queue %(queue)s does not show %(model)s.",
                    action=self.action_id.name,
                    queue=self.name,
                    model=self.model_id.name,
                )
            )

    def _check_orders(self):
        model_fields = self.env[self.model]._fields
        oldest = model_fields.get(self.order_oldest)
        if self.order_oldest and not (
            oldest and oldest.store and oldest.type in ("date", "datetime")
        ):
            raise ValidationError(
                self.env._(
                    "The age of the queue %(queue)s is to be told by %(field)s, which is not a "
                    "stored date of %(model)s.",
                    queue=self.name,
                    field=self.order_oldest,
                    model=self.model_id.name,
                )
            )
        worst = model_fields.get(self._parse_order_worst()[0])
        if self.order_worst and not (worst and worst.store and worst.column_type):
            raise ValidationError(
                self.env._(
                    "The worst record of the queue %(queue)s is to be told by “%(order)s”, which "
                    "is not one stored field of %(model)s with an optional desc.",
                    queue=self.name,
                    order=self.order_worst,
                    model=self.model_id.name,
                )
            )

    def _check_domain(self):
        """Have the database plan the very statement that will count the queue."""
        queue = self.sudo()
        try:
            with self.env.cr.savepoint():
                self.env.execute_query(SQL("EXPLAIN %s", queue._get_measure_sql()))
        except RETRIED:
            raise
        except Exception as error:  # whatever a hand-written filter makes Odoo raise
            raise ValidationError(
                self.env._(
                    "The filter of the queue %(queue)s does not work on %(model)s: %(error)s",
                    queue=self.name,
                    model=self.model_id.name,
                    error=str(error).splitlines()[0],
                )
            ) from error

    # === CRUD METHODS === #
    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if default and "name" in default:
            return vals_list
        return [
            {**vals, "name": self.env._("%s (copy)", queue.name)}
            for queue, vals in zip(self, vals_list, strict=True)
        ]

    # === ACTION METHODS === #
    def action_open(self):
        """Return the action that lists what waits in this queue."""
        self.ensure_one()
        self.check_access("read")
        action = (
            self.action_id.sudo()._get_action_dict()
            if self.action_id
            else {
                "type": "ir.actions.act_window",
                "res_model": self.model,
                "views": [(False, "list"), (False, "form")],
            }
        )
        context = safe_eval(action.get("context") or "{}", self._get_eval_context())
        return {
            **action,
            "name": self.name,
            "display_name": self.name,
            "domain": self._get_json_domain(),
            # A filter that the list sets by itself would show less than the tile has counted.
            "context": {
                key: value
                for key, value in context.items()
                if not key.startswith(("search_default_", "searchpanel_default_"))
            },
        }

    # === BUSINESS METHODS === #
    @api.model
    @api.readonly
    def get_counters(self):
        """Return what waits in each queue, for the workbench.

        Counts with the caller's own rights in the companies switched on. Left out are queues meant
        for other groups and those over records or fields that the caller may not read.

        :return: in the order of display, a list of dicts::

            {
                "id": 3, "name": "Late", "description": "...",
                "group": {"id": 1, "name": "Contracts", "sequence": 10},
                "color": "danger" | "warning" | "info", "icon": "fa-clock-o",
                "res_model": "sale.admin.milestone",
                "domain": [...],          # as given to the list, dates as text
                "action_id": 512 | False, # ``action_open`` of the queue returns it narrowed
                "count": 12,
                "oldest": False | {"id": 7, "name": "...", "date": "2026-01-31",
                                   "days": 12},  # negative: lies ahead
                "worst": False | {"id": 9, "name": "...", "label": "Largest", "value": 1200.0,
                                  "text": "$ 1,200.00"},  # the value in the record's own currency
                "error": False | "one sentence",  # then count is 0, oldest and worst are False
            }
        """
        queues = self.search(
            ["|", ("group_ids", "=", False), ("group_ids", "in", self.env.user.all_group_ids.ids)]
        )
        measures = queues._measure()
        items = queues._get_measured_items(measures)
        return [
            queue._prepare_counter(measures[queue], items.get(queue.model))
            for queue in queues
            if queue in measures
        ]

    def _measure(self):
        """Count the queues.

        :return: ``{queue: (count, oldest id, worst id, domain, error)}`` without the queues that
            the user may not read
        """
        measures = {}
        # One savepoint serves all: it is needed only to go on after a statement that failed.
        with self.env.cr.savepoint(flush=False) as savepoint:
            for queue in self:
                try:
                    [row] = self.env.execute_query(queue._get_measure_sql())
                    measures[queue] = (*row, queue._get_json_domain(), False)
                except RETRIED:
                    raise
                except AccessError:
                    continue
                except Exception as error:  # a broken filter must not take the page with it
                    if isinstance(error, psycopg2.Error):
                        savepoint.rollback()
                    _logger.warning("Queue %s cannot be counted", queue.id, exc_info=True)
                    measures[queue] = (0, None, None, [], queue._get_error_text(error))
        return measures

    def _get_measure_sql(self):
        """Return the statement that gives the count, the oldest and the worst id of the queue.

        One statement, so that a costly filter is evaluated once.
        """
        self.ensure_one()
        query = self.env[self.model]._search(self._get_domain())
        worst, direction = self._get_worst_sql(query)
        items = query.select(
            SQL("%s AS id", SQL.identifier(query.table, "id")),
            SQL("%s AS oldest", self._get_oldest_sql(query)),
            SQL("%s AS worst", worst),
        )
        return SQL(
            """
            WITH items AS MATERIALIZED (%(items)s)
            SELECT (SELECT COUNT(*) FROM items),
                   (SELECT id FROM items WHERE oldest IS NOT NULL ORDER BY oldest, id LIMIT 1),
                   (SELECT id FROM items WHERE worst IS NOT NULL
                     ORDER BY worst %(direction)s, id LIMIT 1)
            """,
            items=items,
            direction=direction,
        )

    def _get_oldest_sql(self, query):
        if not self._may_read_field(self.order_oldest):
            return SQL("NULL::date")
        return self.env[self.model]._field_to_sql(query.table, self.order_oldest, query)

    def _get_worst_sql(self, query):
        field_name, direction = self._parse_order_worst()
        if not self._may_read_field(field_name):
            return SQL("NULL::integer"), SQL("ASC")
        Model = self.env[self.model]
        value = Model._field_to_sql(query.table, field_name, query)
        field = Model._fields[field_name]
        if field.type == "monetary":
            value = self._get_company_amount_sql(value, field.get_currency_field(Model), query)
        return value, direction

    def _get_company_amount_sql(self, amount, currency_field, query):
        """Return `amount` in one currency, at today's rates: good enough to compare, not to add.

        Nothing where it is 0: a record without a value is not the worst.
        """
        Rate = self.env["res.currency.rate"]
        company = self.env.company
        rates = SQL(
            """
            (SELECT DISTINCT ON (%(currency)s) %(currency)s AS currency_id, %(rate)s AS rate
               FROM res_currency_rate
              WHERE %(date)s <= %(today)s AND (company_id IS NULL OR company_id = %(company)s)
           ORDER BY %(currency)s, company_id, %(date)s DESC)
            """,
            currency=Rate._field_to_sql(Rate._table, "currency_id"),
            rate=Rate._field_to_sql(Rate._table, "rate"),
            date=Rate._field_to_sql(Rate._table, "name"),
            today=company._sale_admin_today(),
            company=company.root_id.id,
        )
        query.add_join(
            "LEFT JOIN",
            "queue_rate",
            rates,
            SQL(
                "queue_rate.currency_id = %s",
                self.env[self.model]._field_to_sql(query.table, currency_field, query),
            ),
        )
        return SQL("NULLIF(%s, 0) / COALESCE(queue_rate.rate, 1)", amount)

    def _get_measured_items(self, measures):
        """Return the oldest and worst records by model, sharing one prefetch.

        The context lets a model whose records need their parent to be recognised name it too.
        """
        ids_by_model = {}
        for queue, (_count, oldest_id, worst_id, *_rest) in measures.items():
            ids_by_model.setdefault(queue.model, set()).update(filter(None, (oldest_id, worst_id)))
        return {
            model: self.env[model].with_context(sale_admin_queue=True).browse(ids)
            for model, ids in ids_by_model.items()
            if ids
        }

    def _prepare_counter(self, measure, items):
        count, oldest_id, worst_id, domain, error = measure

        def pick(item_id):
            return items.browse(item_id).with_prefetch(items.ids)

        return {
            "id": self.id,
            "name": self.name,
            "description": self.description or "",
            "group": {
                "id": self.group_id.id,
                "name": self.group_id.name,
                "sequence": self.group_id.sequence,
            },
            "color": self.color,
            "icon": self.icon or "",
            "res_model": self.model,
            "domain": domain,
            "action_id": self.action_id.id,
            "count": count,
            "oldest": bool(oldest_id) and self._prepare_oldest(pick(oldest_id)),
            "worst": bool(worst_id) and self._prepare_worst(pick(worst_id)),
            "error": error,
        }

    def _prepare_oldest(self, item):
        date = item[self.order_oldest]
        company = self.env.company
        if item._fields[self.order_oldest].type == "datetime":
            date = fields.Datetime.context_timestamp(
                self.with_context(tz=company.sale_admin_tz), date
            ).date()
        return {
            "id": item.id,
            "name": item.display_name,
            "date": fields.Date.to_string(date),
            "days": (company._sale_admin_today() - date).days,
        }

    def _prepare_worst(self, item):
        field = item._fields[self._parse_order_worst()[0]]
        value = item[field.name]
        return {
            "id": item.id,
            "name": item.display_name,
            "label": self._get_worst_label(field),
            "value": field.convert_to_read(value, item),
            "text": self._format_value(item, field, value),
        }

    def _get_worst_label(self, field):
        if field.type not in ("monetary", "float", "integer"):
            return field.get_description(self.env, ["string"])["string"]
        is_descending = self._parse_order_worst()[1] == SQL("DESC")
        return self.env._("Largest") if is_descending else self.env._("Smallest")

    def _format_value(self, item, field, value):
        if field.type == "monetary":
            return item[field.get_currency_field(item)].format(value)
        if field.type in ("date", "datetime"):
            return format_date(self.env, value)
        if field.type == "float":
            return formatLang(self.env, value)
        return field.convert_to_export(value, item)

    def _parse_order_worst(self):
        """Return the name of the field that tells the worst record, and SQL's direction."""
        match = ORDER_PATTERN.match(self.order_worst or "")
        if not match:
            return False, SQL("ASC")
        is_descending = (match["direction"] or "").lower() == "desc"
        return match["field"], SQL("DESC") if is_descending else SQL("ASC")

    def _may_read_field(self, field_name):
        """Who may not see a field, such as an amount, gets the count without it."""
        Model = self.env[self.model]
        return field_name and Model._has_field_access(Model._fields[field_name], "read")

    def _get_domain(self):
        return safe_eval(self.domain, self._get_eval_context())

    def _get_json_domain(self):
        return json.loads(json.dumps(self._get_domain(), default=json_default))

    @api.model
    def _get_eval_context(self):
        """Hook: the names that the filter of a queue may use."""
        return {
            "uid": self.env.uid,
            "company_id": self.env.company.id,
            "company_ids": self.env.companies.ids,
            "today": self.env.company._sale_admin_today(),
            "relativedelta": relativedelta,
        }

    def _get_error_text(self, error):
        """Return what the workbench says of a queue that cannot be counted."""
        message = self.env._("This queue cannot be counted: its filter has to be mended.")
        if self.has_access("write"):
            message = f"{message} {str(error).splitlines()[0]}"
        return message
