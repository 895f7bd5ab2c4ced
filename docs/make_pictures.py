"""Take the pictures of the user guide from a running demo.

    make demo PORT=8069            in one terminal, on fresh demo data (make demo-reset)
    make pictures PORT=8069        in another one

Each picture is one entry of PICTURES; a name given on the command line takes that one alone.
"""

import argparse
import io
import pathlib
from contextlib import suppress
from dataclasses import dataclass, field

from PIL import Image
from playwright.sync_api import TimeoutError, sync_playwright

IMAGES = pathlib.Path(__file__).parent / "images"
COLORS = 128


@dataclass
class Picture:
    """One picture: who looks at what, what is pressed before, and what part is kept."""

    name: str
    path: str
    login: str = "admin"
    record: tuple = ()  # model and domain: the path gets the first id found
    click: list = field(default_factory=list)
    only: str = ""  # keep this element, else the whole window
    hide: str = ""  # leave this out
    height: int = 850
    scroll_to: str = ""


def contract(title):
    return ("sale.admin.contract", [["title", "=", title]])


CARTON_LINE = contract("Carton line, Cần Thơ")
CONTRACT = "/odoo/sales-contracts/%s"

PICTURES = [
    Picture("workbench", "/odoo/sales-administration", height=780),
    Picture("contracts", "/odoo/sales-contracts", height=680),
    Picture("contract", CONTRACT, record=CARTON_LINE, height=1480),
    Picture("milestones", "/odoo/sales-milestones"),
    Picture("milestones-calendar", "/odoo/sales-milestones", click=[".o_switch_view.o_calendar"]),
    Picture("milestones-kanban", "/odoo/sales-milestones", click=[".o_switch_view.o_kanban"]),
    Picture(
        "changed-order", CONTRACT, record=contract("Conveyors for the bread hall"), height=1100
    ),
    Picture(
        "framework",
        CONTRACT,
        record=contract("Film and tape, one year"),
        click=[".o_notebook a[name=lines]"],
        height=900,
    ),
    Picture(
        "amendments",
        CONTRACT,
        record=contract("Labelling for jars"),
        click=[".o_notebook a[name=amendments]"],
        height=900,
    ),
    Picture("renewal", CONTRACT, record=contract("Wear parts, one year"), height=900),
    Picture("packing-cell", CONTRACT, record=contract("Packing cell for cheese"), height=1400),
    Picture("bagging", CONTRACT, record=contract("Bagging line, second hall"), height=1400),
    Picture("distribution", CONTRACT, record=contract("Distribution, Valencia and Murcia"), height=1300),
    Picture("to-sign", CONTRACT, record=contract("Checkweigher and wrapper"), height=1000),
    Picture("advance", CONTRACT, record=contract("End of line, rice mill 2"), height=1300),
    Picture("statistics", "/odoo/sale-admin-execution"),
    Picture("templates", "/odoo/sales-schedule-templates"),
    Picture(
        "template",
        "/odoo/sales-schedule-templates/%s",
        record=("sale.admin.milestone.template", [["name", "like", "made to order"]]),
    ),
    Picture("report-mails", "/odoo/sale-admin-report-mails"),
    Picture("settings", "/odoo/settings#sale_admin_support"),
    Picture("portal-list", "/my/contracts", login="mai"),
    Picture(
        "portal",
        "/my/contracts/%s",
        login="mai",
        record=CARTON_LINE,
        height=1300,
    ),
    Picture("quotation-template", "/odoo/action-sale_management.sale_order_template_action/%s", record=("sale.order.template", [["name", "like", "made to order"]])),
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
        answer = self.page("admin").request.post(
            f"{self.address}/web/dataset/call_kw/{model}/search",
            data={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {"model": model, "method": "search", "args": [domain], "kwargs": {}},
            },
        ).json()
        return answer["result"][0]

    def settle(self, page):
        """Wait until nothing is asked of the server any more; the chat's poll may never end."""
        with suppress(TimeoutError):
            page.wait_for_load_state("networkidle", timeout=5000)
        page.wait_for_timeout(400)

    def take(self, picture):
        page = self.page(picture.login)
        page.set_viewport_size({"width": 1400, "height": picture.height})
        path = picture.path
        if picture.record:
            path %= self.find(*picture.record)
        page.goto(self.address + path)
        self.settle(page)
        for selector in picture.click:
            page.click(selector)
            self.settle(page)
        page.wait_for_timeout(800)  # charts draw themselves
        if picture.scroll_to:
            page.locator(picture.scroll_to).first.scroll_into_view_if_needed()
        if picture.hide:
            page.add_style_tag(content=f"{picture.hide} {{ display: none !important; }}")
        target = page.locator(picture.only).first if picture.only else page
        return target.screenshot()


def save(content, path):
    """With a palette of its own colours a screen takes a third of the room."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    image.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size // 1024} KB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="take these alone")
    parser.add_argument("--address", default="http://localhost:8069")
    parser.add_argument("--chromium", help="path of the browser, else Playwright's own")
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
