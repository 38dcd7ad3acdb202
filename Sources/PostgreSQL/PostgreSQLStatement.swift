/// A statement and its parameters.
package struct PostgreSQLStatement: Sendable {
  package let sql: String
  package let parameters: [any PostgreSQLParameter]

  package init(_ sql: String, _ parameters: any PostgreSQLParameter...) {
    self.sql = sql
    self.parameters = parameters
  }

  package init(_ sql: String, parameters: [any PostgreSQLParameter]) {
    self.sql = sql
    self.parameters = parameters
  }

  func encoded() throws(PostgreSQLError) -> EncodedStatement {
    EncodedStatement(sql: sql, parameters: try EncodedParameters(parameters))
  }
}

struct EncodedStatement: Sendable {
  let sql: String
  let parameters: EncodedParameters
}
