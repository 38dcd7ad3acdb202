import DeviceRules
import Testing

struct SubscribersWithinSecondsTests {
  private static let cases: [([(Int, Int64)], Int, Int, Bool)] = [
    // Subscriber and second; more than so many, within so many seconds. Cambodia
    // (DMC-CODE-2024/Duplicate): more than C distinct IMSIs inside a window of W seconds.
    ([(1, 0), (2, 10)], 1, 10, true), ([(1, 0), (2, 11)], 1, 10, false),
    ([(1, 0), (2, 5), (3, 10)], 2, 10, true), ([(1, 0), (2, 5), (3, 11)], 2, 10, false),
    ([(1, 0), (1, 5), (1, 10)], 1, 10, false),
    // A subscriber who comes back is as near as its last moment.
    ([(1, 0), (2, 8), (1, 9), (3, 18)], 2, 10, true),
    ([(1, 0), (2, 8), (3, 18)], 2, 10, false),
    ([(1, 0), (2, 0), (3, 0)], 2, 1, true), ([], 1, 10, false), ([(1, 0)], 1, 10, false),
  ]

  @Test(arguments: cases.indices)
  func `a window slides over the events`(index: Int) throws {
    let (events, subscribers, seconds, isFound) = Self.cases[index]
    let device = SampleDevice().with {
      $0.events = events.map { TimedEvent(second: $0.1, imsi: SampleDevice.imsi($0.0)) }
    }
    let rule = SubscribersWithinSeconds(subscribers: subscribers, seconds: seconds)
    #expect(try Judgement(.subscribersWithinSeconds(rule), of: device).matches == isFound)
  }
}

struct PlaceTests {
  private static let cases: [(Double, Double, Double, Double, Double)] = [
    // A quarter of the equator is a chord of √2 radii; the poles are two radii apart.
    (0, 0, 0, 90, 9_009.95), (90, 0, -90, 0, 12_742), (0, 0, 0, 0, 0),
    (0, 179.5, 0, -179.5, 111.19), (90, 10, 90, 170, 0),
    // London and Paris: a great circle of 343.5 km.
    (51.5074, -0.1278, 48.8566, 2.3522, 343.5),
  ]

  @Test(arguments: Self.cases)
  func `a distance is the straight line`(
    latitude: Double, longitude: Double, toLatitude: Double, toLongitude: Double,
    kilometres: Double
  ) throws {
    let here = try #require(Place(latitude: latitude, longitude: longitude))
    let there = try #require(Place(latitude: toLatitude, longitude: toLongitude))
    #expect(abs(here.metres(to: there) / 1_000 - kilometres) < 0.1)
    #expect(here.metres(to: there) == there.metres(to: here))
  }

  @Test func `what is no place is refused`() {
    for (latitude, longitude) in [(90.1, 0.0), (0, 180.1), (.nan, 0), (0, .infinity)] {
      #expect(Place(latitude: latitude, longitude: longitude) == nil)
    }
  }
}

struct PlacesTooFarApartTests {
  private static let london = Place(latitude: 51.5074, longitude: -0.1278)
  private static let paris = Place(latitude: 48.8566, longitude: 2.3522)

  private static let cases: [([(Int64, Place?)], PlacesTooFarApart, Bool)] = [
    // 343.5 km at 1,200 km/h take 1,030 s. ITU-T Q.5052, 7.4.
    ([(0, london), (1_000, paris)], PlacesTooFarApart(), true),
    ([(0, london), (1_040, paris)], PlacesTooFarApart(), false),
    ([(0, london), (1_040, paris)], PlacesTooFarApart(kilometresPerHour: 900), true),
    ([(0, london), (1_000, paris)], PlacesTooFarApart(minimumKilometres: 400), false),
    ([(0, london), (500, nil), (1_000, paris)], PlacesTooFarApart(), true),
    ([(0, london), (0, london)], PlacesTooFarApart(), false),
    ([(0, london), (0, paris)], PlacesTooFarApart(), true),
    ([(0, london), (10, paris), (20, london)], PlacesTooFarApart(conflicts: 2), true),
    ([(0, london), (10, paris), (5_000, london)], PlacesTooFarApart(conflicts: 2), false),
    ([(0, nil), (1, paris)], PlacesTooFarApart(), false), ([], PlacesTooFarApart(), false),
  ]

  @Test(arguments: cases.indices)
  func `nobody travels faster than an airliner`(index: Int) throws {
    let (events, rule, isFound) = Self.cases[index]
    let device = SampleDevice().with {
      $0.events = events.map { TimedEvent(second: $0.0, imsi: SampleDevice.imsi(1), place: $0.1) }
    }
    #expect(try Judgement(.placesTooFarApart(rule), of: device).matches == isFound)
  }
}
