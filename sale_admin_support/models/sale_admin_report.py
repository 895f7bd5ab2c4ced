import io
import re
from datetime import date, timedelta
from typing import NamedTuple

import xlsxwriter

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import date_utils, format_date
from odoo.tools.misc import formatLang

# A level is a granularity of Odoo's date tools, of `date:<level>` in a grouping and of `Period`: a
# further one ("day") is one line here and its name in `_get_period_label`. A "week" begins on the
# reader's first day of the week in a grouping, on Monday in `Period`: settle that first.
LEVELS = [
    ("month", "Month"),
    ("quarter", "Quarter"),
    ("year", "Year"),
]


class Period(NamedTuple):
    """A calendar period, both days included."""

    level: str
    date_from: date
    date_to: date

    @classmethod
    def containing(cls, level, day):
        return cls(level, date_utils.start_of(day, level), date_utils.end_of(day, level))

    def get_previous(self):
        return self.containing(self.level, self.date_from - timedelta(days=1))

    def get_next(self):
        return self.containing(self.level, self.date_to + timedelta(days=1))

    def get_day(self, number):
        """Return the period's n-th day, or its last one where it has fewer days."""
        return min(self.date_from + timedelta(days=max(number, 1) - 1), self.date_to)


class SaleAdminReport(models.AbstractModel):
    """What a report of a period must say so that it can be printed, exported and mailed.

    A model that inherits this one and implements `_get_report_name` and `_get_sections` is offered
    by the printing and by the schedule without further ado. Figures are read with the rights of
    the environment's user, for the environment's company, in words of the environment's language.
    """

    _name = "sale.admin.report"
    _description = "Sales Administration Report"

    # === BUSINESS METHODS === #
    @api.model
    def _get_reports(self):
        """Return the concrete reports as a selection: `[(model name, report name)]`."""
        return [
            (name, self.env[name]._get_report_name())
            for name in sorted(self.env.registry["sale.admin.report"]._inherit_children)
            if name in self.env and not name.startswith("report.")
        ]

    @api.model
    def _get_report(self, name):
        """Return the report model called `name`; never another model, whoever asks."""
        if name not in dict(self._get_reports()):
            raise UserError(self.env._("The report %s is not installed.", name))
        return self.env[name]

    @api.model
    def _get_report_name(self):
        """Hook: the report's title in the reader's language."""
        raise NotImplementedError

    @api.model
    def _get_sections(self, period, options):
        """Hook: the report's tables.

        :param Period period: the days reported on
        :param dict options: a report's own choices; must be JSON serializable
        :return: list of sections made by `_prepare_section`
        """
        raise NotImplementedError

    @api.model
    def _prepare_section(self, name, title, columns, rows, subtitle=None, notes=()):
        """Return one table.

        :param list columns: dicts made by `_prepare_column`
        :param list rows: dicts made by `_prepare_row`
        """
        return {
            "name": name,
            "title": title,
            "subtitle": subtitle,
            "columns": columns,
            "rows": rows,
            "currency": self.env.company.currency_id,
            "notes": list(notes),
        }

    @api.model
    def _prepare_column(self, name, label, type="text", group=None):
        """Return one column.

        :param str type: `text`, `date`, `integer`, `float`, `percent` (1.0 is 100 %) or `amount`
            (in the section's currency)
        :param str group: heading shared with the neighbours of the same group
        """
        return {"name": name, "label": label, "type": type, "group": group}

    @api.model
    def _prepare_row(self, values, level=0, is_total=False):
        """Return one row; a value that is missing or None is an empty cell, not a zero."""
        return {"values": values, "level": level, "is_total": is_total}

    @api.model
    def _get_document(self, period, options=None):
        """Return the report as a plain structure that every renderer understands."""
        company = self.env.company
        return {
            "report": self._name,
            "title": self._get_report_name(),
            "subtitle": self._get_period_label(period),
            "company": company,
            "period": period,
            "printed_on": company._sale_admin_today(),
            "sections": self._get_sections(period, options or {}),
        }

    @api.model
    def _get_period_label(self, period):
        year = str(period.date_from.year)
        if period.level == "year":
            return year
        if period.level == "quarter":
            quarter = date_utils.get_quarter_number(period.date_from)
            return self.env._("Quarter %(quarter)s of %(year)s", quarter=quarter, year=year)
        if period.level == "month":
            return format_date(self.env, period.date_from, date_format="LLLL y")
        return self.env._(
            "%(date_from)s to %(date_to)s",
            date_from=format_date(self.env, period.date_from),
            date_to=format_date(self.env, period.date_to),
        )

    @api.model
    def _get_amounts_note(self, document):
        return self.env._(
            "Amounts in %(currency)s, as of %(date)s",
            currency=document["company"].currency_id.name,
            date=format_date(self.env, document["printed_on"]),
        )

    @api.model
    def _get_file_name(self, document, extension):
        """Return a name that every file system takes: no slash, no reserved sign."""
        parts = (document["title"], document["subtitle"], document["company"].name)
        name = re.sub(r'[\\/:*?"<>|\x00-\x1f]+', "-", " - ".join(parts)).strip(" .-")
        return f"{name[:150]}.{extension}"

    # === RENDERERS === #
    @api.model
    def _render(self, document, file_format):
        """Return the document as a file.

        :param str file_format: `pdf` or `xlsx`
        :return: tuple (file name, content)
        """
        render = {"pdf": self._render_pdf, "xlsx": self._render_xlsx}[file_format]
        return self._get_file_name(document, file_format), render(document)

    @api.model
    def _render_html(self, document):
        """Return the document's tables as HTML to be put into a page or a mail."""
        return self.env["ir.qweb"]._render(
            "sale_admin_support.report_document_body",
            {"document": document, "format_cell": self._format_cell},
        )

    @api.model
    def _render_pdf(self, document):
        content, _kind = self.env["ir.actions.report"]._render_qweb_pdf(
            "sale_admin_support.action_report_document",
            data={
                "document": document,
                "format_cell": self._format_cell,
                "heading_note": self._get_amounts_note(document),
            },
        )
        return content

    @api.model
    def _format_cell(self, section, column, row):
        """Return a cell's text in the reader's language."""
        value = row["values"].get(column["name"])
        if value is None or value is False:
            return ""
        match column["type"]:
            case "amount":
                # Whole units: a table of many columns is read, cents are for the spreadsheet.
                return formatLang(self.env, value, digits=0)
            case "percent":
                return self.env._("%s %%", formatLang(self.env, value * 100, digits=1))
            case "float":
                return formatLang(self.env, value, digits=1)
            case "integer":
                return formatLang(self.env, value, digits=0)
            case "date":
                return format_date(self.env, value)
        return str(value)

    @api.model
    def _render_xlsx(self, document):
        """Return a workbook with one sheet a section, numbers as numbers.

        Rows are written one after the other and never kept, however long the table is.
        """
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as workbook:
            names = set()
            for section in document["sections"]:
                sheet = workbook.add_worksheet(self._get_sheet_name(section["title"], names))
                self._write_sheet(workbook, sheet, document, section)
        return buffer.getvalue()

    @api.model
    def _get_sheet_name(self, title, names):
        """Return a name a spreadsheet program takes, used once in the workbook."""
        base = re.sub(r"[\[\]:*?/\\']+", " ", title).strip()[:31] or "Report"
        name, number = base, 1
        while name.casefold() in names:
            number += 1
            suffix = f" {number}"
            name = base[: 31 - len(suffix)] + suffix
        names.add(name.casefold())
        return name

    @api.model
    def _write_sheet(self, workbook, sheet, document, section):
        columns = section["columns"]
        styles = self._get_sheet_styles(workbook, section["currency"])
        for index, column in enumerate(columns):
            sheet.set_column(index, index, self._get_column_width(column))
        # `write_string` throughout: a name that begins with "=" stays a name.
        sheet.write_string(0, 0, f"{document['title']}: {section['title']}", styles["title"])
        subtitle = [document["company"].name, document["subtitle"], section["subtitle"]]
        sheet.write_string(1, 0, " · ".join(filter(None, subtitle)))
        sheet.write_string(2, 0, self._get_amounts_note(document))
        header = 4
        for index, column in enumerate(columns):
            label = " ".join(filter(None, [column["group"], column["label"]]))
            sheet.write_string(header, index, label, styles["header"])
        sheet.freeze_panes(header + 1, 1)
        line = header
        last_plain = header
        for line, row in enumerate(section["rows"], start=header + 1):
            self._write_sheet_row(sheet, line, columns, row, styles)
            if not row["is_total"]:
                last_plain = line
        if columns:
            sheet.autofilter(header, 0, last_plain, len(columns) - 1)
        for offset, note in enumerate(section["notes"], start=2):
            sheet.write_string(line + offset, 0, note, styles["note"])

    @api.model
    def _write_sheet_row(self, sheet, line, columns, row, styles):
        for index, column in enumerate(columns):
            value = row["values"].get(column["name"])
            style = styles[column["type"], row["is_total"], row["level"] if index == 0 else 0]
            if value is None or value is False:
                sheet.write_blank(line, index, None, style)
            elif column["type"] == "text":
                sheet.write_string(line, index, str(value), style)
            elif column["type"] == "date":
                sheet.write_datetime(line, index, fields.Datetime.to_datetime(value), style)
            else:
                sheet.write_number(line, index, value, style)

    @api.model
    def _get_sheet_styles(self, workbook, currency):
        return SheetStyles(workbook, currency)

    @api.model
    def _get_column_width(self, column):
        return {"text": 34, "amount": 18, "date": 12}.get(column["type"], 12)


class SheetStyles(dict):
    """Cell formats by (column type, is total, indentation), each made once a workbook sheet."""

    def __init__(self, workbook, currency):
        amount = "#,##0" + (f".{'0' * currency.decimal_places}" if currency.decimal_places else "")
        self.workbook = workbook
        self.number_formats = {
            "amount": f'{amount} "{currency.name}"',
            "percent": "0.0%",
            "integer": "#,##0",
            "float": "#,##0.0",
            "date": "yyyy-mm-dd",
        }
        super().__init__(
            title=workbook.add_format({"bold": True, "font_size": 14}),
            header=workbook.add_format(
                {
                    "bold": True,
                    "text_wrap": True,
                    "valign": "vcenter",
                    "bg_color": "#E9ECEF",
                    "bottom": 1,
                }
            ),
            note=workbook.add_format({"italic": True, "font_color": "#6C757D"}),
        )

    def __missing__(self, key):
        column_type, is_total, indent = key
        vals = {"indent": indent}
        if is_total:
            vals.update(bold=True, top=1)
        if column_type in self.number_formats:
            vals["num_format"] = self.number_formats[column_type]
        self[key] = self.workbook.add_format(vals)
        return self[key]
