import Foundation
import Hummingbird

/// JSON with sorted members, so that two answers can be compared.
enum JSONText {
  static func bytes(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value))
  }

  static func response(
    _ value: some Encodable, status: HTTPResponse.Status = .ok
  ) throws -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: try bytes(value))))
  }
}

extension JSONText {
  /// Throws a problem that names the member, never the value.
  static func value<Value: Decodable>(
    _ type: Value.Type, from body: ByteBuffer
  ) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
    } catch DecodingError.keyNotFound(let key, _) {
      throw Problem(.badRequest, "body", "The member \"\(key.stringValue)\" is missing.")
    } catch DecodingError.typeMismatch(_, let context) {
      let member = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw Problem(.badRequest, "body", "The member \"\(member)\" is of another kind.")
    } catch {
      throw Problem(.badRequest, "body", "The body is not the JSON object that is expected.")
    }
  }
}
