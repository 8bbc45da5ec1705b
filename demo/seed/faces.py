"""How the demonstration's supporters show themselves, with portraits that are drawn, and a site's own wording."""

import io
from datetime import datetime, timedelta

from PIL import Image, ImageDraw, ImageFont

from psi import tenancy
from referrals.wording import texts as wording
from sites.engine.audit import Actor
from sites.tenants.models import Site
from sites.tenants.palettes import PALETTES
from training.supporters import photos, public_page
from training.supporters.models import PeerSupporter

# Name → (English, French) words of their own; who is not named shows name and portrait alone.
BIOS = {
    "Dr. Ada Cedar": (
        "Family physician in a group practice, twenty years in small towns. I have been through a complaint that took"
        " two years, and a colleague listened when I needed it. We can talk on the phone or walk by the water.",
        "Médecin de famille en pratique de groupe, vingt ans dans de petites villes. J’ai vécu une plainte qui a duré"
        " deux ans, et une collègue m’a écoutée. On peut se parler au téléphone ou marcher au bord de l’eau.",
    ),
    "Dr. Ben Birch": ("Emergency physician, nights for a long time. Happy to talk after a hard shift.", ""),
    "Dr. Cora Alder": (
        "Maternity care, and mother of three. I came back from two leaves and remember how that felt.",
        "Soins de maternité, et mère de trois enfants. Je suis revenue de deux congés et je m’en souviens.",
    ),
    "Dr. Dev Hemlock": ("In my third year of practice. Still learning where my limits are, and glad to say so.", ""),
    "Dr. Elin Spruce": (
        "General internist, and for many years in committees where adverse events were discussed. I know both sides.",
        "Interniste, et longtemps membre de comités où l’on discute d’événements indésirables. Je connais les deux"
        " côtés.",
    ),
    "Dr. Farah Willow": ("General surgeon. I have had complications, and nights without sleep after them.", ""),
    "Dr. Jonas Fir": (
        "Family physician, late career, on a reserve and in town. I am Métis.",
        "Médecin de famille, en fin de carrière. Je suis Métis.",
    ),
    "Dr. Kit Rowan": ("Hospitalist, non-binary. I know what it is to be the odd one out at work.", ""),
    "Dr. Leo Aspen": ("Anesthesiologist. A near miss in my second year has stayed with me; we can talk of yours.", ""),
    "Dr. Mina Hazel": ("Family physician for thirty years, through two burnouts, and still here.", ""),
    "Dr. Gus Maple": ("Retired family doctor. I have time, and I have seen most things once.", ""),
    "Dr. Nora Juniper": (
        "Family physician on an island where everybody knows everybody. I know how to keep quiet.",
        "",
    ),
    "Dr. Rui Dogwood": (
        "Internist. I trained abroad and started over here.",
        "Interniste. J’ai étudié à l’étranger et j’ai tout recommencé ici.",
    ),
    "Dr. Yara Holly": (
        "Psychiatrist with the provincial team. As a peer I listen as a colleague, not as your doctor.",
        "",
    ),
    "Dr. Zeke Ash": ("Family physician, late in a good career.", "Médecin de famille, tard dans une belle carrière."),
}
HOURS = {
    "en": "Robin reads requests on Tuesdays and Thursdays, and the mail on every working day.",
    "fr": "Robin lit les demandes le mardi et le jeudi, et le courriel chaque jour ouvrable.",
}


def show(supporter: PeerSupporter, name: str, by: Actor) -> None:
    """Let a supporter agree to be shown, with their words and a portrait."""
    bio, bio_fr = BIOS.get(name, ("", ""))
    public_page.save_page(supporter.pk, bio=bio, bio_fr=bio_fr, shown=True, by=by)
    sent = portrait(name)
    public_page.put_photo(supporter.pk, photos.redrawn(io.BytesIO(sent), len(sent)), by=by)


def portrait(name: str) -> bytes:
    """Return a picture of nobody: the initials on a colour from the palettes."""
    first, last = name.split()[1:3]
    colours = list(PALETTES.values())[sum(map(ord, name)) % len(PALETTES)]
    image = Image.new("RGB", (photos.SIDE, photos.SIDE), colours.ink)
    middle = photos.SIDE // 2
    font = ImageFont.load_default(size=128)
    ImageDraw.Draw(image).text((middle, middle), first[0] + last[0], fill=colours.paper, font=font, anchor="mm")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def word(site: Site, administrator: Actor, anchor: datetime) -> None:
    """Let a site say when its mail is read, half a year before the end; the rest stays the province's wording."""
    with tenancy.site_scope(site.pk, now=anchor - timedelta(days=180)):
        for language, hours in HOURS.items():
            draft = wording.save_draft(language, {"hours": hours}, by=administrator)
        wording.publish(draft.at, by=administrator)
