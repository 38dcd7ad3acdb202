import DeviceLists
import Simulation
import Testing

struct FoldTests {
  private static func grounds(_ codes: GroundCode...) -> [GroundInForce] {
    codes.map { GroundInForce($0) }
  }

  private static func entry(
    _ status: ListStatus, _ codes: GroundCode..., overridable: Bool = true
  ) -> EntryClass {
    EntryClass(status: status, codes: GroundCodeSet(codes), isOverridable: overridable)
  }

  @Test(
    arguments: [
      // The sentence on status: protected; else black; else grey; else white; else on no list.
      ([], nil),
      (grounds(.registered), entry(.white, .registered)),
      (grounds(.registered, .typeApproved), entry(.white, .registered, .typeApproved)),
      (grounds(.ownershipClaim), entry(.grey, .ownershipClaim)),
      (grounds(.registered, .ownershipClaim), entry(.grey, .ownershipClaim)),
      (grounds(.duplicate), entry(.black, .duplicate)),
      (grounds(.duplicate, .ownershipClaim, .registered), entry(.black, .duplicate)),
      (grounds(.registered, .ownershipClaim, .duplicate), entry(.black, .duplicate)),
      (grounds(.duplicate, .fraud), entry(.black, .duplicate, .fraud)),
      (grounds(.stolen), entry(.black, .stolen, overridable: false)),
      (grounds(.duplicate, .stolen), entry(.black, .duplicate, .stolen, overridable: false)),
      (grounds(.protected), entry(.white, .protected)),
      (grounds(.stolen, .protected, .registered), entry(.white, .protected)),
      (
        [GroundInForce(code: .notRegistered, status: .grey, isOverridable: true)],
        entry(.grey, .notRegistered)
      ),
      (
        [
          GroundInForce(code: .notRegistered, status: .grey, isOverridable: false),
          GroundInForce(.duplicate),
        ], entry(.black, .duplicate)
      ),
      (
        [GroundInForce(code: .duplicate, status: .black, isOverridable: false)],
        entry(.black, .duplicate, overridable: false)
      ),
    ] as [([GroundInForce], EntryClass?)])
  func `the heaviest ground in force is the status`(
    grounds: [GroundInForce], expected: EntryClass?
  ) {
    #expect(Fold.entryClass(of: grounds, releases: []) == expected)
    #expect(Fold.entryClass(of: grounds.reversed(), releases: []) == expected)
  }

  @Test(
    arguments: [
      // Released grounds count for nothing, whoever gave them.
      (grounds(.stolen), [.stolen], nil),
      (grounds(.stolen, .registered), [.stolen], entry(.white, .registered)),
      (grounds(.stolen, .stolen), [.stolen], nil),
      (grounds(.stolen, .fraud), [.stolen], entry(.black, .fraud)),
      (grounds(.stolen, .fraud), [.stolen, .fraud], nil),
      (grounds(.stolen), [.fraud], entry(.black, .stolen, overridable: false)),
      (grounds(.duplicate, .stolen), [.stolen], entry(.black, .duplicate)),
      (grounds(.protected, .stolen), [.protected, .stolen], entry(.white, .protected)),
    ] as [([GroundInForce], [GroundCode], EntryClass?)])
  func `a release outranks the grounds that it names`(
    grounds: [GroundInForce], released: [GroundCode], expected: EntryClass?
  ) {
    let one = ReleaseInForce(codes: GroundCodeSet(released), liftsWider: false)
    #expect(Fold.entryClass(of: grounds, releases: [one]) == expected)
    let several = released.map { ReleaseInForce(codes: GroundCodeSet($0), liftsWider: false) }
    #expect(Fold.entryClass(of: grounds, releases: several) == expected)
  }

  @Test(
    arguments: [
      // The release of a type's or range's ground for one IMEI writes that IMEI white (`released`).
      ([], [.barredTac], entry(.white, .released)),
      (grounds(.registered), [.barredTac], entry(.white, .registered, .released)),
      (grounds(.stolen), [.barredTac, .stolen], entry(.white, .released)),
      (grounds(.stolen), [.barredTac], entry(.black, .stolen, overridable: false)),
      (grounds(.ownershipClaim), [.barredTac], entry(.grey, .ownershipClaim, .released)),
      (grounds(.protected), [.barredTac], entry(.white, .protected)),
    ] as [([GroundInForce], [GroundCode], EntryClass?)])
  func `a release of a wider ground puts the device on the list`(
    grounds: [GroundInForce], released: [GroundCode], expected: EntryClass?
  ) {
    let release = ReleaseInForce(codes: GroundCodeSet(released), liftsWider: true)
    let entry = Fold.entryClass(of: grounds, releases: [release])
    #expect(entry == expected)
    #expect(entry?.status == .black || entry?.isExempt == true)
  }

  @Test(arguments: [UInt64(7_301)])
  func `the order of grounds does not matter and released ones change nothing`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<20_000 {
      let grounds = Self.randomGrounds(using: &generator)
      let releases = Self.randomReleases(using: &generator)
      let entry = Fold.entryClass(of: grounds, releases: releases)
      #expect(Fold.entryClass(of: grounds.shuffled(using: &generator), releases: releases) == entry)
      #expect(Fold.entryClass(of: grounds, releases: releases.shuffled(using: &generator)) == entry)
      #expect(Fold.entryClass(of: grounds + grounds, releases: releases) == entry)
      guard let released = releases.first?.codes.codes.first, released != .protected else {
        continue
      }
      let added = grounds + [GroundInForce(code: released, status: .black, isOverridable: false)]
      #expect(Fold.entryClass(of: added, releases: releases) == entry)
    }
  }

  @Test(arguments: [UInt64(7_302)])
  func `an entry names the grounds of its status and a black needs a black ground`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<20_000 {
      let grounds = Self.randomGrounds(using: &generator)
      guard let entry = Fold.entryClass(of: grounds, releases: []) else {
        #expect(grounds.isEmpty)
        continue
      }
      #expect(!entry.codes.isEmpty)
      let named = grounds.filter { entry.codes.contains($0.code) }
      #expect(entry.isProtected || named.contains { $0.status == entry.status })
      if entry.isFinalBlack {
        #expect(grounds.contains { $0.status == .black && !$0.isOverridable })
      }
      #expect(entry.isProtected == grounds.contains { $0.code == .protected })
    }
  }

  private static func randomGrounds(using generator: inout SeededGenerator) -> [GroundInForce] {
    (0..<Int.random(in: 0...4, using: &generator)).compactMap { _ in
      guard let code = GroundCode.allCases.randomElement(using: &generator) else { return nil }
      guard generator.one(in: 3) else { return GroundInForce(code) }
      let status = ListStatus.allCases.randomElement(using: &generator) ?? .white
      return GroundInForce(code: code, status: status, isOverridable: generator.one(in: 2))
    }
  }

  private static func randomReleases(using generator: inout SeededGenerator) -> [ReleaseInForce] {
    (0..<Int.random(in: 0...2, using: &generator)).compactMap { _ in
      guard let code = GroundCode.allCases.randomElement(using: &generator) else { return nil }
      return ReleaseInForce(codes: GroundCodeSet(code), liftsWider: generator.one(in: 2))
    }
  }
}

struct EntryClassTests {
  @Test(
    arguments: [
      // Of the entries for all and for one operator: protected wins, then black, grey, white.
      (ListStatus.white, [GroundCode.protected], ListStatus.black, [.stolen], ListStatus.white),
      (.white, [.released], .black, [.stolen], .black),
      (.white, [.registered], .grey, [.fraud], .grey),
      (.grey, [.fraud], .black, [.lost], .black),
      (.white, [.released], .white, [.registered], .white),
    ] as [(ListStatus, [GroundCode], ListStatus, [GroundCode], ListStatus)])
  func `two entries on one subject fold to the heavier`(
    first: ListStatus, firstCodes: [GroundCode], second: ListStatus, secondCodes: [GroundCode],
    expected: ListStatus
  ) {
    let all = EntryClass(status: first, codes: GroundCodeSet(firstCodes))
    let own = EntryClass(status: second, codes: GroundCodeSet(secondCodes))
    #expect(ListedClass(all: all, own: own).effective?.status == expected)
    #expect(ListedClass(all: own, own: all).effective == ListedClass(all: all, own: own).effective)
    #expect(ListedClass(all: all).effective == all && ListedClass(own: own).effective == own)
    #expect(ListedClass().effective == nil && ListedClass().isEmpty)
    #expect(!ListedClass(all: all).isEmpty && !ListedClass(own: own).isEmpty)
  }

  @Test func `only a black can be beyond appeal`() {
    for status in ListStatus.allCases {
      let entry = EntryClass(status: status, codes: [], isOverridable: false)
      #expect(entry.isOverridable == (status != .black))
      #expect(entry.isFinalBlack == (status == .black))
    }
    #expect(!EntryClass(status: .black, codes: GroundCodeSet(.protected)).isExempt)
    #expect(EntryClass(status: .grey, codes: GroundCodeSet(.released)).isExempt)
    #expect(!EntryClass(status: .black, codes: GroundCodeSet(.released)).isExempt)
    #expect(!EntryClass(status: .white, codes: GroundCodeSet(.registered)).isExempt)
  }

  @Test(arguments: [UInt64(7_303)])
  func `folding entries is commutative, associative and idempotent`(seed: UInt64) throws {
    var lists = RandomLists(seed: seed, world: try SmallWorld())
    for _ in 0..<50_000 {
      let (one, two, three) = (lists.entryClass(), lists.entryClass(), lists.entryClass())
      #expect(one.folded(with: two) == two.folded(with: one))
      #expect(
        one.folded(with: two).folded(with: three) == one.folded(with: two.folded(with: three)))
      #expect(one.folded(with: one) == one)
      #expect(EntryClass.fold(one, nil) == one && EntryClass.fold(nil, one) == one)
    }
    #expect(EntryClass.fold(nil, nil) == nil)
  }
}
