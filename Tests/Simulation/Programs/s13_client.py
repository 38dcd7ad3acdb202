"""Asks an EIR over S13 with python-diameter, as an MME would.

  s13_client.py PEER@HOST:PORT QUESTIONS [--origin NAME] [--realm REALM] [--within SECONDS]

PEER is the Origin-Host of the other end of the connection, an EIR or a relay. QUESTIONS has one
JSON object a line: imei, and where wanted softwareVersion, imsi and proxyState (hexadecimal; a
Proxy-Info to be carried back). The answers are printed in the same order, one JSON object a line.
What the relay could not deliver is asked again until the time is over.
"""

import argparse
import concurrent.futures
import json
import sys
import time

from diameter.message import constants
from diameter.message.avp.grouped import (
    ProxyInfo,
    TerminalInformation,
    VendorSpecificApplicationId,
)
from diameter.message.commands import MeIdentityCheckRequest
from diameter.node import Node
from diameter.node.application import SimpleThreadingApplication

VENDOR_3GPP = 10415
# Questions that are on the way at once.
WINDOW = 32
# Of which a relay says that nobody is there: 3002 and 3004.
NOT_DELIVERED = (
    constants.E_RESULT_CODE_DIAMETER_UNABLE_TO_DELIVER,
    constants.E_RESULT_CODE_DIAMETER_TOO_BUSY,
)


def request(node, arguments, question):
    message = MeIdentityCheckRequest()
    message.session_id = node.session_generator.next_id()
    message.vendor_specific_application_id = VendorSpecificApplicationId(
        vendor_id=VENDOR_3GPP, auth_application_id=constants.APP_3GPP_S13_S13
    )
    message.auth_session_state = constants.E_AUTH_SESSION_STATE_NO_STATE_MAINTAINED
    message.origin_host = node.origin_host.encode()
    message.origin_realm = node.realm_name.encode()
    message.destination_realm = arguments.realm.encode()
    message.terminal_information = TerminalInformation(
        imei=question["imei"], software_version=question.get("softwareVersion")
    )
    if "imsi" in question:
        message.user_name = question["imsi"]
    if "proxyState" in question:
        message.proxy_info = [
            ProxyInfo(
                proxy_host=b"relay9.example.org",
                proxy_state=bytes.fromhex(question["proxyState"]),
            )
        ]
    return message


def reading(message, answer):
    """What of the answer is told; the library has looked at its form."""
    experimental = answer.experimental_result
    return {
        "result": answer.result_code,
        "experimental": experimental and experimental.experimental_result_code,
        "vendor": experimental and experimental.vendor_id,
        "status": answer.equipment_status,
        "originHost": answer.origin_host.decode(),
        "originRealm": answer.origin_realm.decode(),
        "sessionState": answer.auth_session_state,
        "isError": answer.header.is_error,
        "isSameSession": answer.session_id == message.session_id,
        "proxyStates": [proxy.proxy_state.hex() for proxy in answer.proxy_info],
        "routeRecords": [record.decode() for record in answer.route_record],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer")
    parser.add_argument("questions")
    parser.add_argument("--origin", default="mme1.example.org")
    parser.add_argument("--realm", default="example.org")
    parser.add_argument("--within", type=float, default=60)
    arguments = parser.parse_args()
    deadline = time.monotonic() + arguments.within
    name, address = arguments.peer.split("@")
    host, port = address.rsplit(":", 1)

    node = Node(arguments.origin, arguments.realm)
    node.wakeup_interval = 1
    peer = node.add_peer(
        f"aaa://{name}:{port}", arguments.realm, ip_addresses=[host], is_persistent=True
    )
    application = SimpleThreadingApplication(
        constants.APP_3GPP_S13_S13, is_auth_application=True
    )
    node.add_application(application, [peer])
    node.start()

    def ask(question):
        while True:
            message = request(node, arguments, question)
            answer = application.send_request(message, timeout=arguments.within)
            if answer.result_code not in NOT_DELIVERED or time.monotonic() > deadline:
                return reading(message, answer)
            time.sleep(0.2)

    try:
        application.wait_for_ready(arguments.within)
        with open(arguments.questions, encoding="utf-8") as file:
            questions = [json.loads(line) for line in file]
        with concurrent.futures.ThreadPoolExecutor(WINDOW) as pool:
            for answer in pool.map(ask, questions):
                print(json.dumps(answer, sort_keys=True))
    finally:
        node.stop(wait_timeout=10)


if __name__ == "__main__":
    sys.exit(main())
