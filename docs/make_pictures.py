"""Take the pictures of the user guide from a running demo.

    make demo-reset demo                                   in one terminal, on fresh demo data
    python3 tools/run.py python docs/make_pictures.py      in another one

Each picture is one entry of PICTURES; a name given on the command line takes that one alone.
"""

import argparse
import io
import pathlib
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from PIL import Image
from playwright.sync_api import TimeoutError, sync_playwright

IMAGES = pathlib.Path(__file__).parent / "images"
COLORS = 128


@dataclass
class Picture:
    """One picture: who looks at what, and what is done or pressed before."""

    name: str
    path: str
    login: str = "admin"
    record: tuple = ()  # model and domain: the path gets the first id found
    before: Callable | None = None  # work done on that page; it is opened anew afterwards
    after: Callable | None = None  # work done on that page before the picture is taken
    click: list = field(default_factory=list)
    height: int = 850


def contract(title):
    return ("sale.admin.contract", [["title", "=", title]])


def order(reference):
    return ("sale.order", [["client_order_ref", "=", reference]])


CARTON_LINE = contract("Carton line, Cần Thơ")
HELD = order("AS-1190")
ORDER = "/odoo/sales/%s"
CONTRACT = "/odoo/sales-contracts/%s"


def press(page, button):
    page.locator(f"{button}:visible").first.click()
    settle(page)


def press_in_row(page, row, button):
    rows = page.locator("tr.o_data_row", has_text=row)
    rows.locator(f"button[name={button}]").first.click()
    settle(page)


def settle(page):
    """Wait until nothing is asked of the server any more; the chat's poll may never end."""
    with suppress(TimeoutError):
        page.wait_for_load_state("networkidle", timeout=4000)
    page.wait_for_timeout(500)


def look_up_customer(page):
    page.keyboard.type("Sao Mai")
    settle(page)


def deliver(page):
    """From the contract: send what is left of its order."""
    press_in_row(page, "Delivery", "action_next_step")
    press(page, "button[name=button_validate]")


def invoice_and_pay(page):
    """From the contract: invoice its order and receive the money."""
    press_in_row(page, "Invoice", "action_next_step")
    press(page, "button:has-text('Create Invoice')")
    press(page, "button[name=create_invoices]")
    press(page, "button[name=action_post]")
    press(page, "button[name=action_register_payment]")
    press(page, "button[name=action_create_payments]")


# In this order: the last two change the demo.
PICTURES = [
    Picture("workbench", "/odoo/sales-administration", height=1150),
    Picture("incoming-orders", "/odoo/incoming-orders", height=400),
    Picture("clarifications", "/odoo/clarifications", height=500),
    Picture("checks", "/odoo/sales-checks", login="kasia", height=780),
    Picture("held-orders", "/odoo/held-orders", login="huy", height=780),
    Picture("held-order", ORDER, login="huy", record=HELD, click=["a[name=sale_admin_checks]"]),
    Picture(
        "release-options",
        ORDER,
        login="huy",
        record=HELD,
        click=["button[name=action_view_release_options]"],
    ),
    Picture("customers-credit", "/odoo/sales-credit", login="huy", height=700),
    Picture(
        "credit-limit",
        "/odoo/sales-credit-limits/%s",
        login="huy",
        record=("sale.admin.credit.limit", [["state", "=", "requested"]]),
    ),
    Picture("order-progress", "/odoo/order-progress"),
    Picture("customer-card", "/odoo/customer-card", after=look_up_customer, height=900),
    Picture("shipments", "/odoo/shipments-and-returns", height=600),
    Picture("contracts", "/odoo/sales-contracts", height=680),
    Picture("contract", CONTRACT, record=CARTON_LINE, height=1440),
    Picture("milestones", "/odoo/sales-milestones"),
    Picture("milestones-calendar", "/odoo/sales-milestones", click=[".o_switch_view.o_calendar"]),
    Picture("milestones-kanban", "/odoo/sales-milestones", click=[".o_switch_view.o_kanban"]),
    Picture("changed-order", CONTRACT, record=contract("Conveyors for the bread hall"), height=850),
    Picture(
        "framework",
        CONTRACT,
        record=contract("Film and tape, one year"),
        click=[".o_notebook a[name=lines]"],
        height=800,
    ),
    Picture(
        "amendments",
        CONTRACT,
        record=contract("Labelling for jars"),
        click=[".o_notebook a[name=amendments]"],
        height=800,
    ),
    Picture("renewal", CONTRACT, record=contract("Wear parts, one year"), height=1000),
    Picture("to-sign", CONTRACT, record=contract("Checkweigher and wrapper"), height=1000),
    Picture("statistics", "/odoo/sale-admin-execution", height=420),
    Picture(
        "statistics-graph",
        "/odoo/sale-admin-execution",
        click=[".o_switch_view.o_graph"],
        height=700,
    ),
    Picture(
        "template",
        "/odoo/sales-schedule-templates/%s",
        record=("sale.admin.milestone.template", [["name", "like", "made to order"]]),
        height=700,
    ),
    Picture("report-mails", "/odoo/sale-admin-report-mails", height=300),
    Picture("portal", "/my/contracts/%s", login="mai", record=CARTON_LINE, height=1500),
    Picture("after-delivery", CONTRACT, record=CARTON_LINE, before=deliver, height=1440),
    Picture("after-payment", CONTRACT, record=CARTON_LINE, before=invoice_and_pay, height=1440),
]


class Camera:
    def __init__(self, browser, address):
        self.browser, self.address = browser, address
        self.pages = {}

    def page(self, login):
        """A window of that person, logged in once."""
        if login not in self.pages:
            page = self.browser.new_context(viewport={"width": 1400, "height": 850}).new_page()
            page.goto(f"{self.address}/web/login")
            page.fill("input[name=login]", login)
            page.fill("input[name=password]", login)
            page.click("button[type=submit]")
            page.wait_for_url(lambda url: "/web/login" not in url)
            self.pages[login] = page
        return self.pages[login]

    def find(self, model, domain):
        answer = (
            self.page("admin")
            .request.post(
                f"{self.address}/web/dataset/call_kw/{model}/search",
                data={
                    "jsonrpc": "2.0",
                    "method": "call",
                    "params": {"model": model, "method": "search", "args": [domain], "kwargs": {}},
                },
            )
            .json()
        )
        return answer["result"][0]

    def open(self, page, path):
        page.goto(self.address + path)
        settle(page)

    def take(self, picture):
        page = self.page(picture.login)
        page.set_viewport_size({"width": 1400, "height": picture.height})
        path = picture.path
        if picture.record:
            path %= self.find(*picture.record)
        if picture.before:
            self.open(page, path)
            picture.before(page)
        self.open(page, path)
        for selector in picture.click:
            press(page, selector)
        if picture.after:
            picture.after(page)
        page.mouse.move(700, 5)
        page.wait_for_timeout(800)  # charts draw themselves
        return page.screenshot()


def save(content, path):
    """With a palette of its own colours a screen takes a third of the room."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    image.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size // 1024} KB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="take these alone")
    parser.add_argument("--address", default="http://localhost:8069")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="path of the browser")
    parser.add_argument("--out", type=pathlib.Path, default=IMAGES)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=arguments.chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        camera = Camera(browser, arguments.address)
        for picture in PICTURES:
            if not arguments.names or picture.name in arguments.names:
                save(camera.take(picture), arguments.out / f"{picture.name}.png")
        browser.close()


if __name__ == "__main__":
    main()
