"""What the generated description lacks: every refusal as problem+json, and a worked example for each request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litestar.openapi.spec import Example, OpenAPI, OpenAPIMediaType, OpenAPIResponse, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType

_ID: Final = "0190f3c2-5a11-7c3e-9d20-6b1f2a3c4d5e"
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

#: Operation → a request body. People are invented: identity prefix 519999, accounts 629999, phones 1540000.
EXAMPLES: Final[Mapping[str, Any]] = {
    "RecordReview": {
        "activation": _ID, "aid": "HOUSE", "held_on": "2022-09-08", "participants": 9, "words": "逐户评议，无异议。", "supported": [_ID], "opposed": [],
        "photo": "iVBORw0KGgo=",
    },
    "DraftNotices": {"activation": _ID, "aid": "HOUSE", "area": "513322103"},
    "PostNotice": {"photo": "iVBORw0KGgo="},
    "ReportNotice": {"photo": "iVBORw0KGgo=", "opinion": "公示期满无异议，属实。"},
    "WithdrawNotice": {"words": "漏列一户，重新公示"},
    "TakeObjection": {"words": "该户在县城另有住房", "way": "desk", "line": 3},
    "AnswerObjection": {"outcome": "rejected", "words": "经核实，该户只有一处住房。"},
    "AcceptPapers": {"awards": [_ID]},
    "HandInDocument": {"kind": "identity", "content": "/9j/"},
    "ReportChange": {"kind": "moved_out", "words": "9月20日迁往雅安。"},
    "AnswerChange": {"words": "已核实，仍在本村居住。"},
    "TakeLead": {"village": "513322103", "kind": "fire", "name": "甄演一", "words": "昨夜失火，住房烧毁。"},
    "CloseLead": {"words": "已安置，转民政局临时救助。"},
    "AssignVillages": {"person": _ID, "villages": ["513322103205"]},
    "OpenSession": {"login": "513322.officer", "password": "a calm long password"},
    "OpenIncident": {"hazard": "020100", "county": "513322", "occurred_at": "2022-09-05T12:52:00+08:00", "drill": True},
    "MoveIncident": {"target": "active"},
    "DeclareStable": {"at": "2022-09-12T14:00:00+08:00"},
    "CloseIncident": {"reason": "恢复重建完成"},
    "MergeIncident": {"into": _ID, "reason": "同一次地震"},
    "OpenFromAlert": {"hazard": "010400", "county": "513322", "occurred_at": "2022-09-05T18:30:00+08:00", "drill": True},
    "AttachAlerts": {"alerts": [_ID], "incident": _ID},
    "DismissAlerts": {"alerts": [_ID], "reason": "降雨已过境，未成灾"},
    "AddReports": [
        {
            "county": "513322", "after": 0, "as_of": "2022-09-05T14:40:00+08:00", "source": "县应急管理局",
            "indicators": {"deaths": "21", "missing": "4", "relocated": "2400", "direct_loss": "650.50"}, "note": "道路中断两处。",
        }
    ],
    "RelayReports": {"level": "direct", "versions": [{"county": "513322", "version": 1}]},
    "DecideResponse": {
        "issuer": "province", "area": "51", "act": "launch", "level": 3, "document": "川减灾委〔2022〕1号", "reason": "达到启动条件",
        "decided_at": "2022-09-05T15:20:00+08:00",
    },
    "Preview": {"zone": _ID, "playbook": _ID},
    "SideBySide": {"before": {"zone": _ID, "playbook": _ID}, "after": {"zone": _ID, "playbook": _ID}},
    "Supposed": {"playbook": _ID, "groups": [{"county": "513322", "level": 8, "households": 1200, "people": 4100, "rooms_collapsed": 900}]},
    "DraftFigures": {
        "items": [
            {
                "key": "EMERG.per_person_day", "area": "513322", "amount_fen": 2500, "valid_from": "2022-09-01", "valid_to": None,
                "document": "泸民〔2022〕9号", "verified": True,
            }
        ]
    },
    "FiguresEffect": {"ids": [_ID]},
    "ForceFigures": {"ids": [_ID]},
    "WithdrawFigures": {"ids": [_ID]},
    "DiscardZone": {"reason": "文件有误，已重新绘制"},
    "GivePopulations": {"items": [{"region": "513322", "people": 80_000, "counted_on": "2020-11-01", "source": "演练用数字（非真实）"}]},
    "DraftMove": {"zone": _ID, "playbook": _ID, "reason": "省级修订应急期天数"},
    "Assess": {"items": [{"household": _ID, "changes": {"rooms_collapsed": 3}, "reason": "复核：3间倒塌"}]},
    "Propose": {"zone": _ID, "playbook": _ID},
    "Draft": {"document": "泸应急〔2022〕31号", "cap_fen": 500_000_000},
    "RegisterHouseholds": [
        {
            "device_id": _ID, "incident": _ID, "village": "513322103205", "lon": 102.11, "lat": 29.64, "accuracy_m": 12,
            "members": [{"name": "甄演一", "id_number": "519999198001010016"}], "account": "6299990000000000007", "bank": "402",
            "phone": "15400000001", "captured_at": "2022-09-05T13:20:00+08:00", "synthetic_point": True, "rooms_collapsed": 3,
            "relocated": "centralised", "circumstances": ["no_income"], "people_in_need": 1, "home_county": "510104",
        }
    ],
    "IdentifyPeople": {"items": [{"person": _ID, "id_number": "519999198001010016"}]},
    "EnrolDevice": {"device": _ID, "name": "村委会手机"},
    "RevokeDevice": {"reason": "手机遗失", "lost": True},
    "Sync": {
        "version": 1, "waiting": 0,
        "records": [
            {
                "id": _ID, "seq": 1, "author": _ID,
                "household": {
                    "incident": _ID, "village": "513322103205", "lon": 102.11, "lat": 29.64, "accuracy_m": 12,
                    "members": [{"name": "甄演一", "id_number": "519999198001010016"}], "account": "6299990000000000007", "bank": "402",
                    "captured_at": "2022-09-05T13:20:00+08:00", "rooms_collapsed": 3,
                    "visit": {"channel": "visit", "structure": "brick_wood", "needs": ["tent"], "note": "道路中断，步行可达"},
                },
            }
        ],
    },
    "ProposeAccounts": {"items": [{"payment": _ID, "account": "6299990000000000007", "bank": "402"}]},
    "ConfirmAccounts": {"ids": [_ID]},
    "SubmitEvidence": {"items": [{"instalment": _ID, "kind": "materials_ready", "digest": _DIGEST, "note": "备料照片"}]},
    "AcceptEvidence": {"ids": [_ID]},
    "Report": {"payments": [_ID], "answer": "confirmed"},
    "Allocate": {
        "county": "513322", "incident": _ID, "source": "central", "year": 2022, "document": "财资环〔2022〕88号", "budget_item": "2240703",
        "purpose": "EMERG", "amount_fen": 500_000_000,
    },
    "TakeComplaint": {"village": "513322103", "kind": "refused", "words": "两次到村委会登记，都说不归他们管。", "way": "hotline"},
    "PassComplaint": {"department": "discipline", "note": "涉及村干部，请核实"},
    "AnswerComplaints": {"ids": [_ID], "answer": "已到户核实，银行卡已到账。"},
    "ApproveAwards": {"awards": [_ID], "digest": _DIGEST},
    "Sign": {"step": "check", "batches": [_ID], "digest": _DIGEST},
}  # fmt: skip

_PROBLEM: Final = Schema(
    type=OpenAPIType.OBJECT,
    description="RFC 9457; `code` is stable, `detail` is one sentence in Chinese and English.",
    properties={
        "type": Schema(type=OpenAPIType.STRING),
        "title": Schema(type=OpenAPIType.STRING),
        "status": Schema(type=OpenAPIType.INTEGER),
        "code": Schema(type=OpenAPIType.STRING),
        "detail": Schema(type=OpenAPIType.STRING),
        "data": Schema(type=OpenAPIType.OBJECT),
    },
    required=["type", "title", "status", "code", "detail"],
)
_REFUSAL: Final = OpenAPIResponse(
    description="Refused: what is wrong and, where it can be said, what would be right",
    content={"application/problem+json": OpenAPIMediaType(schema=_PROBLEM)},
)


def complete(description: OpenAPI) -> None:
    """Fill in the description, once."""
    for path in (description.paths or {}).values():
        for method in ("get", "post", "delete"):
            operation = getattr(path, method)
            if operation is not None:
                _complete(operation)


def _complete(operation: Operation) -> None:
    responses = {k: v for k, v in (operation.responses or {}).items() if k.startswith(("2", "3"))}
    operation.responses = {**responses, "4XX": _REFUSAL, "5XX": _REFUSAL}
    name = (operation.summary or "").replace(" ", "")
    if name in EXAMPLES and isinstance(operation.request_body, RequestBody):
        for media in operation.request_body.content.values():
            media.examples = {"example": Example(value=EXAMPLES[name])}
