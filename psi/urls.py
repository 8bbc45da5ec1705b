"""The switchboard: every address of the house. Each view carries its mark (sites.permissions)."""

from datetime import date

from django.conf import settings
from django.urls import include, path, register_converter
from django.urls.converters import StringConverter

from matching import awaiting, handing, my, status
from matching import views as matching
from referrals import access_views, by_hand, reach_out_views, wording_views
from referrals import views as referrals
from sites import consumer_views, cover_views, crisis, program
from sites import views as sites
from tracker import (
    api,
    export_views,
    figure_views,
    operations_views,
    periods,
    release_views,
    report_views,
    survey_views,
)
from tracker import beside_views as beside
from tracker import views as tracker
from training import (
    commitment_views,
    link_views,
    page_views,
    pay_views,
    recruit_views,
    roster_views,
    session_views,
)
from training import views as training

handler400 = "sites.views.unreadable"
handler500 = "sites.views.trouble"


class Ref(StringConverter):
    """The code of a request; what cannot be one leads nowhere, before anything is looked up."""

    regex = "[0-9A-Z]{1,12}"


class Rest(StringConverter):
    """Whatever else stands in an address, line ends and nothing at all too."""

    regex = r"[\s\S]*"


class Quarter:
    """A calendar quarter as it stands in addresses, such as 2026-q1."""

    regex = "[0-9]{4}-q[1-4]"

    def to_python(self, value: str) -> date:
        return periods.from_code(value)

    def to_url(self, value: date) -> str:
        return periods.code(value)


register_converter(Ref, "ref")
register_converter(Rest, "rest")
register_converter(Quarter, "quarter")

urlpatterns = [
    path("", sites.find_site, name="find_site"),
    path("leave/", sites.leave, name="leave"),
    path("healthz", sites.healthz, name="healthz"),
    path("readyz", sites.readyz, name="readyz"),
    path("go/<str:token>/", sites.go, name="go"),
    path("offer/<str:token>/", reach_out_views.offer, name="offer"),
    path("inside/<str:token>/", sites.go_inside, name="go_inside"),
    path("start/", sites.home, name="home"),
    path("verify/", pay_views.verify, name="verify"),
    path("my-training/", session_views.find_training, name="find_training"),
    path("calendar/<str:token>.ics", session_views.calendar_feed, name="calendar"),
    path("accounts/", include("sites.account_urls")),
    # For other programs
    path("api/v1/openapi.json", api.description, name="api_description"),
    path("api/v1/releases/", api.releases, {"site": "province"}, name="api_releases"),
    path("api/v1/releases/<quarter:quarter>/", api.release, {"site": "province"}, name="api_release"),
    path("api/v1/<rest:rest>", api.nowhere, name="api_nowhere"),
    # The province's own pages; all others are the same set for every site.
    path("province/sites/", program.province_sites, {"site": "province"}, name="province_sites"),
    path("province/sites/<slug:slug>/", program.province_site, {"site": "province"}, name="province_site"),
    path("province/operations/", operations_views.operations_page, {"site": "province"}, name="operations"),
    path("province/figures/releases/", release_views.releases_page, {"site": "province"}, name="releases"),
    path(
        "province/figures/releases/<int:release_id>/", release_views.release_page, {"site": "province"}, name="release"
    ),
    path("province/published/", release_views.public_list, {"site": "province"}, name="published"),
    path("province/published/methods/", release_views.methods, {"site": "province"}, name="methods"),
    path(
        "province/published/<quarter:quarter>/", release_views.public_page, {"site": "province"}, name="published_one"
    ),
    path(
        "province/published/<quarter:quarter>/<slug:table>.csv",
        export_views.public_sheet,
        {"site": "province"},
        name="published_sheet",
    ),
    path("province/consumers/", consumer_views.consumers_page, {"site": "province"}, name="consumers"),
    path(
        "province/figures/<quarter:quarter>/report.pdf",
        report_views.of_release,
        {"site": "province"},
        name="release_report",
    ),
    path(
        "province/figures/evaluation/<str:year>.pdf", report_views.evaluation, {"site": "province"}, name="evaluation"
    ),
    path(
        "province/figures/<quarter:quarter>/tables.xlsx", export_views.book, {"site": "province"}, name="release_book"
    ),
    path(
        "province/figures/<quarter:quarter>/<slug:table>.csv",
        export_views.sheet,
        {"site": "province"},
        name="release_sheet",
    ),
    path(
        "province/figures/<quarter:quarter>/<slug:table>.<str:kind>",
        export_views.picture,
        {"site": "province"},
        name="release_picture",
    ),
    path(
        "province/figures/all/<slug:table>.<str:kind>",
        export_views.over_time,
        {"site": "province"},
        name="province_file",
    ),
    path("province/debriefs/", beside.debriefs_page, {"site": "province"}, name="debriefs"),
    path("province/links/", link_views.links_page, {"site": "province"}, name="links"),
    path("province/settings/crisis/", crisis.numbers_page, {"site": "province"}, name="crisis_numbers"),
    path("province/settings/crisis/<ref:line>/", crisis.number_page, {"site": "province"}, name="crisis_number"),
    path("province/settings/agreement/", commitment_views.agreement_text, {"site": "province"}, name="agreement_text"),
    path("province/settings/rates/", pay_views.rates, {"site": "province"}, name="rates"),
    # Public
    path("<slug:site>/", referrals.public_page, name="public"),
    path("<slug:site>/peers/", referrals.peers, name="peers"),
    path("<slug:site>/peers/<slug:digest>.jpg", page_views.photo, name="photo"),
    path("<slug:site>/q/<str:code>/", referrals.access_page, name="access"),
    path("<slug:site>/request/", referrals.request_page, name="request"),
    path("<slug:site>/request/sent/", referrals.sent, name="sent"),
    path("<slug:site>/colleague/", referrals.colleague, name="colleague"),
    path("<slug:site>/colleague/tell/", reach_out_views.tell, name="tell"),
    path("<slug:site>/colleague/thanks/", reach_out_views.thanks, name="thanks"),
    path("<slug:site>/status/", status.status, name="status"),
    path("<slug:site>/status/survey/", survey_views.survey_page, name="survey"),
    path("<slug:site>/nominate/", recruit_views.nominate, name="nominate"),
    path("<slug:site>/nominate/thanks/", recruit_views.nominated, name="nominated"),
    # Administrator and lead
    path("<slug:site>/today/", sites.today_page, name="today"),
    path("<slug:site>/requests/", matching.requests_list, name="requests"),
    path("<slug:site>/requests/caller/", matching.caller, name="caller"),
    path("<slug:site>/requests/new/", by_hand.by_hand, name="by_hand"),
    path("<slug:site>/requests/<ref:ref>/", matching.request_detail, name="request_detail"),
    path("<slug:site>/requests/<ref:ref>/choose/", matching.choose, name="choose"),
    path("<slug:site>/requests/<ref:ref>/next/<int:user_id>/", matching.invite_next, name="invite_next"),
    path("<slug:site>/requests/<ref:ref>/confirm/", matching.confirm, name="confirm"),
    path("<slug:site>/requests/<ref:ref>/revoke/", matching.revoke, name="revoke"),
    path("<slug:site>/requests/<ref:ref>/reassign/", matching.reassign, name="reassign"),
    path("<slug:site>/requests/<ref:ref>/hand-over/", handing.hand_over, name="hand_over"),
    path("<slug:site>/requests/<ref:ref>/close/", matching.close, name="close"),
    path("<slug:site>/requests/<ref:ref>/spam/", matching.spam, name="spam"),
    path("<slug:site>/requests/<ref:ref>/not-spam/", matching.not_spam, name="not_spam"),
    path("<slug:site>/requests/<ref:ref>/answer/", awaiting.answer, name="offer_answer"),
    path("<slug:site>/welcome/", reach_out_views.welcome, name="welcome"),
    path("<slug:site>/supporters/", matching.supporters, name="supporters"),
    path("<slug:site>/supporters/<int:user_id>/", training.supporter, name="supporter"),
    path("<slug:site>/supporters/import/", roster_views.roster_import, name="roster_import"),
    path("<slug:site>/supporters/export.<str:kind>", roster_views.roster_export, name="roster_export"),
    path("<slug:site>/supporters/recruits/<ref:recruit>/", recruit_views.recruit, name="recruit"),
    path("<slug:site>/figures/", tracker.figures_page, name="figures"),
    path("<slug:site>/figures/report/<str:year>.pdf", report_views.of_site, name="site_report"),
    path("<slug:site>/figures/<slug:panel>.<str:kind>", figure_views.download, name="figure_file"),
    path("<slug:site>/remarks/", beside.remarks_page, name="remarks"),
    path("<slug:site>/settings/", program.settings_page, name="settings"),
    path("<slug:site>/settings/people/", program.people_page, name="people"),
    path("<slug:site>/settings/people/<int:membership_id>/", program.member_page, name="member"),
    path("<slug:site>/settings/cover/", cover_views.cover_page, name="cover"),
    path("<slug:site>/settings/audit/", program.audit_page, name="audit"),
    path("<slug:site>/settings/departments/", training.departments, name="departments"),
    path("<slug:site>/settings/numbers/", crisis.local_page, name="local_numbers"),
    path("<slug:site>/settings/codes/", access_views.codes, name="codes"),
    path("<slug:site>/settings/codes/<ref:code>/", access_views.code_page, name="code"),
    path("<slug:site>/settings/codes/<ref:code>/qr.<str:kind>", access_views.picture, name="code_picture"),
    path("<slug:site>/settings/codes/<ref:code>/<slug:paper>.pdf", access_views.printed, name="code_pdf"),
    path("<slug:site>/settings/wording/", wording_views.wording_page, name="wording"),
    path("<slug:site>/settings/wording/preview/", wording_views.wording_preview, name="wording_preview"),
    path("<slug:site>/settings/wording/<slug:spoken>/", wording_views.wording_text, name="wording_text"),
    path("<slug:site>/pay/", pay_views.pay_page, name="pay"),
    path("<slug:site>/pay/batch-<int:number>.<slug:kind>", pay_views.batch_file, name="batch_file"),
    path("<slug:site>/training/", session_views.team_page, name="sessions"),
    path("<slug:site>/training/new/", session_views.new_session, name="new_session"),
    path("<slug:site>/training/<int:session_id>/", session_views.session_page, name="session"),
    path("<slug:site>/training/<int:session_id>/change/", session_views.edit_session, name="edit_session"),
    path("<slug:site>/training/at/<slug:at>/<int:session_id>.ics", session_views.session_file, name="session_file"),
    path("<slug:site>/training/at/<slug:at>/files/<int:material_id>/", session_views.material, name="material"),
    # Supporter
    path("<slug:site>/my/", my.my, name="my"),
    path("<slug:site>/my/page/", page_views.my_page, name="my_page"),
    path("<slug:site>/my/safety/", tracker.safety, name="safety"),
    path("<slug:site>/my/informal/", beside.informal_page, name="informal"),
    path("<slug:site>/my/remark/", beside.remark_page, name="remark"),
    path("<slug:site>/my/about/", training.about_me, name="about_me"),
    path("<slug:site>/my/training/", session_views.my_training, name="my_training"),
    path("<slug:site>/my/statement/", pay_views.my_statement, name="my_statement"),
    path("<slug:site>/my/statement.csv", pay_views.my_statement_file, name="my_statement_file"),
    path("<slug:site>/my/certificate/<slug:at>.pdf", pay_views.certificate, name="certificate"),
    path("<slug:site>/my/agreement/", commitment_views.agreement_page, name="agreement"),
    path("<slug:site>/my/commitment/", commitment_views.commitment_page, name="commitment"),
    path("<slug:site>/my/interest/", recruit_views.interest, name="interest"),
    path("<slug:site>/my/<ref:ref>/", my.my_match, name="my_match"),
    path("<slug:site>/my/<ref:ref>/accept/", my.accept, name="accept"),
    path("<slug:site>/my/<ref:ref>/decline/", my.decline, name="decline"),
    path("<slug:site>/my/<ref:ref>/contacted/", my.contacted, name="contacted"),
    path("<slug:site>/my/<ref:ref>/unwanted/", my.unwanted, name="unwanted"),
    path("<slug:site>/my/<ref:ref>/conversation/", tracker.conversation, name="conversation"),
    path("<slug:site>/my/<ref:ref>/hand-back/", my.hand_back, name="hand_back"),
    path("<slug:site>/my/<ref:ref>/no-conversation/", my.no_conversation, name="no_conversation"),
    path("<slug:site>/my/<ref:ref>/finish/", my.finish, name="finish"),
]

if settings.PSI_LOCAL:
    urlpatterns.insert(0, path("", include("demo.urls")))
