import DeviceLists
import Diameter
import EquipmentCheck
import NIOCore

/// The bytes of one connection, as the node's handler takes them, without socket and clock.
enum DiameterEntry {
  /// As the listener has it.
  private static let mostMessageBytes = 65_536
  private static let answers: [CheckAnswer] = [.white, .grey, .black, .unknown]

  private static let s13: S13? = {
    guard let host = DiameterIdentity("eir.example.org"),
      let realm = DiameterIdentity("example.org")
    else { return nil }
    return S13(
      local: LocalNode(host: host, realm: realm, productName: "OpenCEIR", originStateID: 7))
  }()

  static func run(_ input: [UInt8]) -> Bool {
    guard let s13 else { preconditionFailure("the names of this node are no names") }
    var chance = SystemRandomNumberGenerator()
    var connection = Connection(
      s13: s13,
      session: PeerSession(
        local: s13.local, address: PeerAddress([127, 0, 0, 1]), requestNumber: 0),
      watchdog: PeerWatchdog(
        interval: .seconds(30), asOf: .uptimeNanoseconds(0), using: &chance))
    let bytes = input.span.bytes
    var offset = 0
    reading: while true {
      switch MessageFrame(in: bytes, at: offset, mostBytes: mostMessageBytes) {
      case .incomplete: break reading
      case .broken(let header, let refusal):
        connection.session.broken(header, refusal, into: &connection.sent)
        break reading
      case .message(let header):
        connection.take(header, bytes.extracting(offset..<offset + header.length))
        offset += header.length
      }
    }
    _ = connection.session.disconnect(into: &connection.sent)
    SentDiameter.check(connection.sent.readableBytesSpan)
    return connection.isUnderstood
  }

  private struct Connection {
    let s13: S13
    var session: PeerSession
    var watchdog: PeerWatchdog
    var sent = ByteBuffer()
    var isUnderstood = false

    /// The numbers of a message choose what the rest of the node would decide.
    mutating func take(_ header: DiameterHeader, _ message: RawSpan) {
      let choice = Int(header.endToEnd % 8)
      switch session.received(header, message, watchdog: &watchdog, into: &sent) {
      case .request: answer(header, message, DiameterEntry.answers[choice % 4])
      case .admit where choice == 7: session.refuse(.unknownPeer, into: &sent)
      case .admit:
        session.admit(into: &sent)
        isUnderstood = true
      case .goOn: isUnderstood = true
      case .refused, .close:
        // A request is read on its own as well, so that no session is needed to get there.
        if header.isRequest { answer(header, message, DiameterEntry.answers[choice % 4]) }
      }
      if choice == 6 { session.writeWatchdog(into: &sent) }
    }

    private mutating func answer(
      _ header: DiameterHeader, _ message: RawSpan, _ answer: CheckAnswer
    ) {
      do throws(DiameterRefusal) {
        let request = try s13.request(header, message)
        s13.write(answer, to: request, message, into: &sent)
        isUnderstood = true
      } catch {
        s13.write(error, to: header, message, into: &sent)
      }
    }
  }
}

/// What this node sends is whole messages of whole AVPs, whatever it was sent.
private enum SentDiameter {
  private static let failedAVP: UInt32 = 279

  static func check(_ sent: RawSpan) {
    var offset = 0
    while offset < sent.byteCount {
      guard case .message(let header) = MessageFrame(in: sent, at: offset, mostBytes: 1 << 24)
      else { preconditionFailure("what was sent is no whole message") }
      check(sent, offset + DiameterHeader.bytes, upTo: offset + header.length, isMessage: true)
      offset += header.length
    }
  }

  /// Failed-AVP is looked into; what else is grouped, and what it holds, is copied as it came.
  private static func check(_ sent: RawSpan, _ start: Int, upTo end: Int, isMessage: Bool) {
    var offset = start
    while offset < end {
      precondition(end - offset >= 8, "an AVP ends within its header")
      let second = sent.word(at: offset + 4)
      let headerBytes = second >> 31 == 1 ? 12 : 8
      let length = Int(second & 0xFF_FFFF)
      let next = offset + (length + 3) / 4 * 4
      precondition(length >= headerBytes && next <= end, "an AVP has a length that cannot be")
      if isMessage, sent.word(at: offset) == failedAVP, headerBytes == 8 {
        check(sent, offset + headerBytes, upTo: offset + length, isMessage: false)
      }
      offset = next
    }
  }
}
