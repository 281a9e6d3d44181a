"""The closed lists a playbook may choose from, with their words in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relief.domain.rules import Text

#: What an instalment waits for (`rules.CONDITIONS`).
EVIDENCE: Final[Mapping[str, Text]] = {
    "none": Text("不需证明材料", "no evidence needed"),
    "materials_ready": Text("建材备齐", "building materials ready"),
    "ground_broken": Text("开工", "ground broken"),
    "first_storey_done": Text("一层完工", "first storey done"),
    "repair_begun": Text("维修开工", "repair begun"),
    "completed": Text("竣工验收", "completed and accepted"),
}

#: Documents of a case file 一户一档.
DOCUMENTS: Final[Mapping[str, Text]] = {
    "application": Text("申请表或提名表", "application or nomination"),
    "identity": Text("身份证、户口簿复印件", "copies of identity card and household register"),
    "account": Text("社会保障卡（一卡通）复印件", "copy of the social security card"),
    "damage_photo": Text("受损照片（带地点、时间）", "photo of the damage with place and time"),
    "appraisal": Text("房屋安全鉴定结论", "appraisal of the building's safety"),
    "review_record": Text("民主评议记录", "record of the villagers' review"),
    "notice_photo": Text("公示照片", "photo of the public notice"),
    "township_opinion": Text("乡镇审核意见", "opinion of the township"),
    "county_reply": Text("县级批复", "decision of the county"),
    "agreement": Text("重建或维修协议", "agreement to rebuild or repair"),
    "acceptance": Text("分阶段验收单", "acceptance of each stage"),
    "payment_proof": Text("发放凭证", "proof of payment"),
    "death_certificate": Text("死亡或失踪证明", "certificate of death or of being missing"),
    "kinship": Text("亲属关系证明", "proof of kinship"),
    "economic_check": Text("家庭经济状况核对报告", "report of the economic check"),
    "medical_record": Text("诊断证明、费用凭据", "diagnosis and bills"),
    "incident_proof": Text("火灾认定、事故认定等证明", "finding of the fire brigade or the traffic police"),
    "minutes": Text("会议纪要", "minutes of the meeting"),
}

#: What may happen to an award on its way.
STOPS: Final[Mapping[str, Text]] = {
    "papers_overdue": Text("补办手续逾期", "papers overdue"),
    "village_papers_overdue": Text("同村多户补办手续逾期", "papers of several households of a village overdue"),
    "evidence_missing": Text("缺少阶段证明", "evidence of a stage missing"),
    "earlier_stage_returned": Text("前期款项退回", "an earlier stage was returned by the bank"),
    "earlier_stage_disputed": Text("前期款项有争议", "an earlier stage is disputed"),
    "payee_died": Text("领款人死亡", "the payee died"),
    "moved_out": Text("迁出或另行安置", "moved out or housed elsewhere"),
    "response_ended": Text("应急响应终止", "the response has ended"),
    "fraud": Text("弄虚作假", "fraud"),
    "minutes_missing": Text("缺少会议纪要", "minutes missing"),
}

#: What the minutes of a meeting must name.
MINUTES: Final[Mapping[str, Text]] = {
    "participants": Text("参会人员", "participants"),
    "vote": Text("表决结果", "the vote"),
    "reason": Text("理由", "the reason"),
    "amount": Text("金额", "the amount"),
    "legal_basis": Text("依据", "the legal basis"),
}

#: Whom a case is passed on to (意见 clauses 1–12).
DEPARTMENTS: Final[Mapping[str, Text]] = {
    "civil_affairs": Text("民政局", "civil affairs"),
    "medical_security": Text("医疗保障局", "medical security"),
    "health": Text("卫生健康局", "health"),
    "housing": Text("住房和城乡建设局", "housing"),
    "education": Text("教育局", "education"),
    "labour": Text("人力资源和社会保障局", "labour and social security"),
    "disabled": Text("残疾人联合会", "disabled persons' federation"),
    "child_protection": Text("民政局（未成年人保护）", "civil affairs, protection of minors"),
    "funeral": Text("民政局（殡葬）", "civil affairs, funerals"),
    "home_county": Text("户籍地县级应急管理部门", "emergency management of the county of registration"),
}

#: Units of figures as they stand behind an amount.
UNITS: Final[Mapping[str, Text]] = {
    "person": Text("元/人", "yuan a person"),
    "person_day": Text("元/人·天", "yuan a person and day"),
    "person_month": Text("元/人·月", "yuan a person and month"),
    "household": Text("元/户", "yuan a household"),
    "lost": Text("元/位遇难（失踪）人员", "yuan for each dead or missing"),
    "room": Text("元/间", "yuan a room"),
}

#: What an amount is multiplied by.
QUANTITIES: Final[Mapping[str, Text]] = {
    "person": Text("家庭人口", "members"),
    "household": Text("户", "household"),
    "in_need": Text("需救助人口", "members in need"),
    "lost": Text("遇难（失踪）人数", "dead and missing"),
    "room_collapsed": Text("倒塌间数", "collapsed rooms"),
    "room_damaged": Text("损坏间数", "damaged rooms"),
}
